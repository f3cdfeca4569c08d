//! Looks up each host once.
//!
//! ureq looks up the host for every request, also where a connection is open: a thousand index entries would be a
//! thousand questions to the name server, which then stops to answer.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::http::uri::{Authority, Scheme};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Remembers the addresses of hosts for as long as a command runs.
#[derive(Debug, Default)]
pub(super) struct RememberingResolver {
    resolver: DefaultResolver,
    known: Mutex<HashMap<Host, Vec<SocketAddr>>>,
}

/// The scheme decides the port where the authority does not name one.
type Host = (Option<Scheme>, Option<Authority>);

impl Resolver for RememberingResolver {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        // Held while asking: whoever else wants the host waits for this answer instead of asking as well.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let host = (uri.scheme().cloned(), uri.authority().cloned());
        if let Some(addresses) = known.get(&host) {
            let mut resolved = self.empty();
            for address in addresses {
                resolved.push(*address);
            }
            return Ok(resolved);
        }
        let resolved = self.resolver.resolve(uri, config, timeout)?;
        known.insert(host, resolved.to_vec());
        Ok(resolved)
    }
}
