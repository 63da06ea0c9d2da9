//! An error of the built command, taken apart: every one has the parts that STYLE promises, and no secret.

use crate::twostep::Outcome;

/// Parts of passwords that tests use; none of them is ever to be seen.
const SECRETS: &[&str] = &["s3cret", "of:the@tests", "%3Athe%40tests"];

/// Asserts that `outcome` told exactly one error, with all four parts and none of the passwords of the tests, and gives
/// what it says of the database's state. The run has to have `TWOSTEP_LOG=text`.
#[track_caller]
pub fn complaint(outcome: &Outcome) -> String {
    keeps_secrets(outcome);
    let said = &outcome.stderr;
    assert!(!said.contains("panicked"), "{said}");
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "not exactly one error:\n{said}");
    let part = |name: &str| {
        let mut inside = false;
        let mut text = String::new();
        for line in said.lines() {
            if let Some(rest) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) {
                inside = rest.starts_with(&format!("{name}: "));
            }
            if inside {
                text.push_str(line.trim_start().trim_start_matches(&format!("{name}: ")));
                text.push('\n');
            }
        }
        assert!(!text.trim().is_empty(), "no `{name}:` in\n{said}");
        text
    };
    for name in ["why", "help"] {
        part(name);
    }
    part("state")
}

/// Nothing that it printed or told holds a password.
#[track_caller]
pub fn keeps_secrets(outcome: &Outcome) {
    for secret in SECRETS {
        for text in [&outcome.stdout, &outcome.stderr] {
            assert!(!text.contains(secret), "`{secret}` is shown:\n{text}");
        }
    }
}
