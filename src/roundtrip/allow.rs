//! What is known not to close, with a reason: by migration, by verdict, or the chain.

use super::verdict::{Findings, Verdict};

/// The name under which the chain is allowed.
pub const CHAIN: &str = "chain";

/// Something that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// A migration's version or label, a verdict's name, or [`CHAIN`].
    pub name: String,
    /// Why it may stay.
    pub reason: String,
}

/// Why a text is no allowance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllowError {
    /// It gives no reason.
    #[error("`{0}` gives no reason")]
    NoReason(String),
    /// It names nothing that could be allowed.
    #[error("`{name}` is no migration, no verdict and not `{CHAIN}`{hint}")]
    Unknown {
        /// What it names.
        name: String,
        /// The nearest known name.
        hint: String,
    },
}

impl Allowance {
    /// `NAME=REASON`.
    pub fn parse(text: &str) -> Result<Self, AllowError> {
        let (name, reason) = text.split_once('=').unwrap_or((text, ""));
        Self::new(name, reason)
    }

    /// A name with its reason.
    pub fn new(name: &str, reason: &str) -> Result<Self, AllowError> {
        let (name, reason) = (name.trim(), reason.trim());
        if reason.is_empty() {
            return Err(AllowError::NoReason(name.to_owned()));
        }
        Ok(Self { name: name.to_owned(), reason: reason.to_owned() })
    }

    fn verdict(&self) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|verdict| verdict.id() == self.name)
    }
}

/// Whether each of `allowances` names something; `labels` holds the version and the label of each migration.
pub fn check<'a>(
    allowances: &[Allowance],
    labels: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(), AllowError> {
    let known: Vec<&str> = labels.flat_map(|(version, label)| [version, label]).collect();
    let unknown = allowances
        .iter()
        .find(|a| a.name != CHAIN && a.verdict().is_none() && !known.contains(&a.name.as_str()));
    let Some(unknown) = unknown else { return Ok(()) };
    let verdicts = Verdict::ALL.iter().map(|verdict| verdict.id());
    let near = crate::text::nearest(&unknown.name, verdicts.chain([CHAIN]).chain(known.iter().copied()));
    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    Err(AllowError::Unknown { name: unknown.name.clone(), hint })
}

/// Marks what is allowed, and notes which allowance of a migration or the chain is not needed any more.
pub fn apply(allowances: &[Allowance], findings: &mut Findings) {
    for allowance in allowances {
        let mut used = false;
        let verdict = allowance.verdict();
        let mut judged_any = verdict.is_some();
        for judged in &mut findings.migrations {
            let names_it =
                [judged.version.as_str(), judged.label.as_str()].contains(&allowance.name.as_str());
            judged_any |= names_it;
            if judged.verdict.is_failure() && (names_it || verdict == Some(judged.verdict)) {
                judged.allowed.get_or_insert_with(|| allowance.reason.clone());
                used = true;
            }
        }
        if allowance.name == CHAIN {
            judged_any = findings.chain.is_some();
            if let Some(chain) = findings.chain.as_mut().filter(|chain| !chain.problems.is_empty()) {
                chain.allowed = Some(allowance.reason.clone());
                used = true;
            }
        }
        if !used && judged_any {
            findings.notes.push(format!("`{}` is allowed, and nothing needs it any more", allowance.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_has_a_name_that_exists_and_a_reason() {
        let right = Allowance::parse("3 = the table was empty").unwrap();
        assert_eq!((right.name.as_str(), right.reason.as_str()), ("3", "the table was empty"));
        assert_eq!(Allowance::parse("3"), Err(AllowError::NoReason("3".to_owned())));
        assert_eq!(Allowance::parse("3= "), Err(AllowError::NoReason("3".to_owned())));
        let named = |name: &str| {
            let one = [Allowance::new(name, "because").unwrap()];
            check(&one, [("3", "3_add")].into_iter()).map_err(|error| error.to_string())
        };
        for right in ["3", "3_add", "no-down", "chain"] {
            assert_eq!(named(right), Ok(()));
        }
        assert!(named("no-dwon").unwrap_err().contains("did you mean `no-down`?"));
    }
}
