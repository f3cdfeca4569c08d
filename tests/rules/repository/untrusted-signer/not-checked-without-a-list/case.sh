who alice
policy 'rules.untrusted-signer = "deny"'
commit one
git push --quiet origin main
commit two
judged main
