//! The rules themselves: a table, JSON, a page each and an explanation for the terminal.

use std::io;

use serde::Serialize;

use super::{escape, plain};
use crate::finding::Level;
use crate::rules::Rule;
use crate::rules::options::{OptionDefault, RuleOption};

/// The version of the JSON list of rules.
pub const VERSION: u32 = 1;

/// Writes a table in aligned columns: rule, capability, severity, default, scope and threats.
///
/// # Errors
///
/// Those of `out`.
pub fn write_table(rules: &[&Rule], out: &mut dyn io::Write) -> io::Result<()> {
    let header = ["RULE", "CAPABILITY", "SEVERITY", "DEFAULT", "SCOPE", "THREATS"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(header)
        .chain(rules.iter().map(|rule| {
            [
                rule.id.to_owned(),
                rule.capability.as_str().to_owned(),
                rule.severity.as_str().to_owned(),
                levels(rule),
                rule.scope.as_str().to_owned(),
                rule.threats.join(" "),
            ]
        }))
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [width(0), width(1), width(2), width(3), width(4), 0];
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Writes the rules as JSON: `{ "version": 1, "rules": [...] }`, described in `docs/output.md`.
///
/// # Errors
///
/// Those of `out`.
pub fn write_json(rules: &[&Rule], out: &mut dyn io::Write) -> io::Result<()> {
    escape::write_json(&List { version: VERSION, rules: rules.iter().map(|rule| JsonRule::from(*rule)).collect() }, out)
}

/// Writes what `explain` shows: a title, the facts about the rule, and its explanation in lines of at most `width`
/// characters.
///
/// # Errors
///
/// Those of `out`.
pub fn write_explanation(rule: &Rule, width: usize, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "{}: {}\n", rule.id, rule.summary)?;
    for (name, value) in facts(rule) {
        writeln!(out, "  {name:<10}  {value}")?;
    }
    if !rule.options.is_empty() {
        writeln!(out, "\n  options")?;
    }
    for option in rule.options {
        writeln!(out, "    {} = {}  {}", option.name, default(option), option.about)?;
    }
    write!(out, "\n{}", plain::plain(rule.explanation, width))
}

/// Writes the rule's page, `docs/rules/<id>.md`: what the rule declares, then its explanation.
///
/// # Errors
///
/// Those of `out`.
pub fn write_page(rule: &Rule, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "<!-- Generated from the rule; edit its .md beside the code. -->\n\n# `{}`\n", rule.id)?;
    writeln!(out, "{}.\n\n| | |\n|---|---|", cell(rule.summary))?;
    for (name, value) in facts(rule) {
        writeln!(out, "| {name} | {} |", cell(&value))?;
    }
    if !rule.options.is_empty() {
        writeln!(out, "\n| option | default | sets |\n|---|---|---|")?;
    }
    for option in rule.options {
        writeln!(out, "| `{}` | `{}` | {} |", option.name, cell(&default(option)), cell(option.about))?;
    }
    writeln!(out, "\n{}", rule.explanation.trim())
}

/// Writes the index of the rules' pages, `docs/rules/README.md`.
///
/// # Errors
///
/// Those of `out`.
pub fn write_index(rules: &[&Rule], out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "<!-- Generated from the rules. -->\n\n# Rules\n")?;
    writeln!(
        out,
        "| rule | fires when | capability | severity | default | scope | threats |\n|---|---|---|---|---|---|---|"
    )?;
    for rule in rules {
        let (summary, capability, severity) = (cell(rule.summary), rule.capability.as_str(), rule.severity.as_str());
        let (id, levels, scope, threats) = (rule.id, levels(rule), rule.scope.as_str(), rule.threats.join(", "));
        writeln!(
            out,
            "| [`{id}`]({id}.md) | {summary} | {capability} | {severity} | {levels} | {scope} | {threats} |"
        )?;
    }
    Ok(())
}

/// What a rule declares, as name and value.
fn facts(rule: &Rule) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("capability", rule.capability.as_str().to_owned()),
        ("severity", rule.severity.as_str().to_owned()),
        ("default", rule.default.as_str().to_owned()),
    ];
    facts.extend(rule.weaker.map(|weaker| ("weaker", format!("{} (its weaker form)", weaker.as_str()))));
    facts.push(("scope", rule.scope.as_str().to_owned()));
    if !rule.threats.is_empty() {
        facts.push(("threats", rule.threats.join(", ")));
    }
    if !rule.cwe.is_empty() {
        let cwe: Vec<String> = rule.cwe.iter().map(|cwe| format!("CWE-{cwe}")).collect();
        facts.push(("weaknesses", cwe.join(", ")));
    }
    facts
}

/// The default level, with that of the weaker form: `warn (weaker: allow)`.
fn levels(rule: &Rule) -> String {
    match rule.weaker {
        Some(weaker) => format!("{} (weaker: {})", rule.default.as_str(), weaker.as_str()),
        None => rule.default.as_str().to_owned(),
    }
}

/// An option's default, as a policy would write it.
fn default(option: &RuleOption) -> String {
    match option.default {
        OptionDefault::Days(days) => format!("\"{days}d\""),
        OptionDefault::Count(count) => count.to_string(),
        OptionDefault::List(list) | OptionDefault::Packages(list) => {
            let items: Vec<String> = list.iter().map(|item| format!("\"{item}\"")).collect();
            format!("[{}]", items.join(", "))
        }
    }
}

/// Text of our own for one cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[derive(Debug, Serialize)]
struct List {
    version: u32,
    rules: Vec<JsonRule>,
}

#[derive(Debug, Serialize)]
struct JsonRule {
    id: &'static str,
    summary: &'static str,
    capability: &'static str,
    threats: &'static [&'static str],
    cwe: &'static [u32],
    severity: &'static str,
    default: &'static str,
    weaker: Option<&'static str>,
    scope: &'static str,
    options: Vec<JsonOption>,
}

#[derive(Debug, Serialize)]
struct JsonOption {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    default: JsonDefault,
    about: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum JsonDefault {
    Age(String),
    Count(u32),
    List(&'static [&'static str]),
}

impl From<&Rule> for JsonRule {
    fn from(rule: &Rule) -> Self {
        Self {
            id: rule.id,
            summary: rule.summary,
            capability: rule.capability.as_str(),
            threats: rule.threats,
            cwe: rule.cwe,
            severity: rule.severity.as_str(),
            default: rule.default.as_str(),
            weaker: rule.weaker.map(Level::as_str),
            scope: rule.scope.as_str(),
            options: rule.options.iter().copied().map(JsonOption::from).collect(),
        }
    }
}

impl From<&RuleOption> for JsonOption {
    fn from(option: &RuleOption) -> Self {
        let (kind, default) = match option.default {
            OptionDefault::Days(days) => ("age", JsonDefault::Age(format!("{days}d"))),
            OptionDefault::Count(count) => ("count", JsonDefault::Count(count)),
            OptionDefault::List(list) | OptionDefault::Packages(list) => ("list", JsonDefault::List(list)),
        };
        Self { name: option.name, kind, default, about: option.about }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::output::example::{LOOKALIKE, VULNERABLE};

    fn written(write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> String {
        let mut written = Vec::new();
        write(&mut written).unwrap();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn columns_are_aligned() {
        assert_eq!(
            written(|out| write_table(&[&VULNERABLE, &LOOKALIKE], out)),
            "\
RULE                 CAPABILITY                   SEVERITY  DEFAULT               SCOPE           THREATS
known-vulnerability  Secure Dependency Selection  high      deny                  time-dependent  TBT-1320 TBT-4200
lookalike-name       Secure Dependency Selection  medium    warn (weaker: allow)  deterministic   TBT-5300
"
        );
    }

    #[test]
    fn json_has_every_key() {
        let list: Value = serde_json::from_str(&written(|out| write_json(&[&LOOKALIKE], out))).unwrap();
        assert_eq!(
            list,
            json!({ "version": 1, "rules": [{
                "id": "lookalike-name", "summary": "name resembles that of a far more popular package",
                "capability": "Secure Dependency Selection", "threats": ["TBT-5300"], "cwe": [],
                "severity": "medium", "default": "warn", "weaker": "allow", "scope": "deterministic",
                "options": [
                    { "name": "known", "type": "list", "default": ["log", "serde"],
                        "about": "names that are never reported" },
                    { "name": "min-age", "type": "age", "default": "7d",
                        "about": "youngest release | that is taken" },
                ],
            }] })
        );
    }

    #[test]
    fn a_page_has_what_the_rule_declares_and_its_explanation() {
        assert_eq!(
            written(|out| write_page(&LOOKALIKE, out)),
            "\
<!-- Generated from the rule; edit its .md beside the code. -->

# `lookalike-name`

name resembles that of a far more popular package.

| | |
|---|---|
| capability | Secure Dependency Selection |
| severity | medium |
| default | warn |
| weaker | allow (its weaker form) |
| scope | deterministic |
| threats | TBT-5300 |

| option | default | sets |
|---|---|---|
| `known` | `[\"log\", \"serde\"]` | names that are never reported |
| `min-age` | `\"7d\"` | youngest release \\| that is taken |

## What it detects

A package whose name is one slip away from a popular one.
"
        );
    }

    #[test]
    fn the_index_links_the_pages() {
        let index = written(|out| write_index(&[&VULNERABLE], out));
        assert!(index.ends_with(
            "| [`known-vulnerability`](known-vulnerability.md) | package has a published vulnerability | \
             Secure Dependency Selection | high | deny | time-dependent | TBT-1320, TBT-4200 |\n"
        ));
    }

    #[test]
    fn an_explanation_reads_well_in_a_terminal() {
        assert_eq!(
            written(|out| write_explanation(&VULNERABLE, 60, out)),
            "\
known-vulnerability: package has a published vulnerability

  capability  Secure Dependency Selection
  severity    high
  default     deny
  scope       time-dependent
  threats     TBT-1320, TBT-4200
  weaknesses  CWE-1395

What it detects

A locked version that an advisory names as affected.

Why it matters

The flaw is public, and so is the way to use it.

Fix

    cargo update -p time
"
        );
    }
}
