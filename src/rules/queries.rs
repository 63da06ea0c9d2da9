//! Of which hazards the queries of the running code tell whether they do harm.

use super::rule::Rule;

/// Rules whose harm is a query that fails, writes wrongly or has another result. Not among them: who may see or change
/// what (policies, rights, options of roles), what a function does inside, what an index makes fast, and names that only
/// literals hold (`nextval('a')`): of these no query tells.
const SHOWN: &[&str] = &[
    "add-column-row-shape",
    "add-composite-attribute",
    "add-not-null-no-default",
    "add-unique-index-compat",
    "alter-identity",
    "change-column-type",
    "change-function-signature",
    "drop-column",
    "drop-column-drops-constraint",
    "drop-default",
    "drop-domain",
    "drop-enum-value",
    "drop-function",
    "drop-generated-expression",
    "drop-schema",
    "drop-table",
    "drop-table-cascade",
    "drop-type",
    "drop-view",
    "narrow-type",
    "new-write-restriction",
    "rename-column",
    "rename-enum-value",
    "rename-object",
    "rename-schema",
    "rename-table",
    "set-default",
    "set-schema",
];

/// Whether queries show the harm that `rule` looks for.
pub(super) fn show(rule: &Rule) -> bool {
    SHOWN.contains(&rule.id)
}

#[cfg(test)]
mod tests {
    use super::SHOWN;
    use crate::rules::rule::Group;
    use crate::rules::{RULES, by_id};

    #[test]
    fn they_are_rules_about_running_code() {
        for id in SHOWN {
            assert!(by_id(id).is_some_and(|rule| rule.group == Group::Compat), "{id}");
        }
        let others = RULES.iter().filter(|rule| rule.group == Group::Compat && !SHOWN.contains(&rule.id));
        assert!(others.count() > 10, "rights, options and their like are not shown by queries");
    }
}
