//! `${name}` in Flyway's migrations: replaced wherever it stands, in any case
//! (<https://github.com/flyway/flyway/blob/main/flyway-core/src/main/java/org/flywaydb/core/internal/parser/PlaceholderReplacingReader.java>).

use crate::source::SourceProblem;
use crate::source::names::missing_variable;
use std::collections::BTreeMap;

/// `text` with its placeholders replaced. One that has no value is a problem, as it is to Flyway.
pub(super) fn substitute(
    path: &str,
    file_name: &str,
    text: &str,
    variables: &BTreeMap<String, String>,
    problems: &mut Vec<SourceProblem>,
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("${") {
        out.push_str(before);
        let line = text[..text.len() - inside.len()].matches('\n').count() + 1;
        let Some((name, behind)) = inside.split_once('}') else {
            let what = "a `${` is not closed, and Flyway stops at it";
            let help = "close it, or turn placeholders off in the migration's .sql.conf: placeholderReplacement=false";
            problems.push(SourceProblem::new(path, what).on_line(line).with_help(help));
            return out;
        };
        rest = behind;
        match variables.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)) {
            Some((_, value)) => out.push_str(value),
            None if name.eq_ignore_ascii_case("flyway:filename") => out.push_str(file_name),
            None => {
                let (what, help) = missing_variable(name);
                let help = format!(
                    "{help}; if it is meant as it stands, write `placeholderReplacement=false` into {path}.conf"
                );
                problems.push(SourceProblem::new(path, what).on_line(line).with_help(help));
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_line() {
        let variables = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        let mut problems = Vec::new();
        let text = "x ${A}\n-- ${b}\n${a}$${a}\n${c";
        assert_eq!(substitute("f", "f", text, &variables, &mut problems), "x 1\n-- \n1$1\n");
        let found: Vec<_> = problems.iter().map(|problem| (problem.line, problem.what.as_str())).collect();
        assert_eq!(
            found,
            [(Some(2), "needs the variable `b`"), (Some(4), "a `${` is not closed, and Flyway stops at it")]
        );
    }
}
