//! The outputs of `twostep lint`: every one names the same places of a file with several statements, and has the form
//! that its readers take.

use serde_json::Value;
use std::collections::BTreeSet;

use crate::json_schema;
use crate::lint_command::{lint, project};
use crate::twostep::Project;

/// Several statements on a line and over several lines, characters of several bytes, tabs, and line ends of Windows.
const SQL: &str = "-- größer: % , : <b> ]]>\r\nselect 'é'; drop table \"größe\";\r\n\r\n\
    alter table users\r\n\tadd column c int,\r\n\tdrop column \"e,mail:|%\";\r\n\
    create index i\r\n  on users (b);\r\n";

const FILE: &str = "a b/1_ä,%.up.sql";

/// Each finding that counts here: rule, line, column, end line, end column.
const PLACES: [(&str, u64, u64, u64, u64); 3] =
    [("drop-table", 2, 13, 2, 31), ("drop-column", 6, 2, 6, 25), ("create-index-nonconcurrent", 7, 1, 8, 15)];

fn sample() -> Project {
    project(&[(FILE, SQL)])
}

/// What `lint` writes as `format`: only what [`PLACES`] is about.
fn output(project: &Project, format: &str) -> String {
    let mut arguments = vec!["--engine", "postgres", "--format", format, "--rule", "all=off"];
    let levels: Vec<String> = PLACES.iter().map(|(rule, ..)| format!("{rule}=error")).collect();
    arguments.extend(levels.iter().flat_map(|level| ["--rule", level]));
    arguments.push("a b");
    lint(project, &arguments).expect(1).stdout
}

fn json(format: &str) -> Value {
    serde_json::from_str(&output(&sample(), format)).expect("it is JSON")
}

fn schema(path: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn json_is_as_its_schema_says() {
    let value = json("json");
    assert_eq!(json_schema::problems(&value, &schema("docs/lint.schema.json")), Vec::<String>::new());
    let places: Vec<_> = value["findings"].as_array().unwrap().iter().map(place_of_json).collect();
    assert_eq!(places, PLACES.each_ref().map(owned));
    for finding in value["findings"].as_array().unwrap() {
        assert_eq!(finding["file"], FILE);
        let (start, end) = (finding["start"].as_u64().unwrap(), finding["end"].as_u64().unwrap());
        let text = &SQL[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
        assert!(finding["statement"].as_str().unwrap().contains(text), "{finding}");
    }
    assert_eq!(value["summary"]["errors"], 3);
    assert_eq!(
        value["findings"][1]["two_steps"]["contract"][0],
        "ALTER TABLE users DROP COLUMN \"e,mail:|%\";"
    );
    // So do the other rules.
    let all = lint(&sample(), &["--engine", "postgres", "--format", "json", "--group", "style", "a b"]);
    let all: Value = serde_json::from_str(&all.stdout).unwrap();
    assert!(all["findings"].as_array().unwrap().len() > PLACES.len());
    assert_eq!(json_schema::problems(&all, &schema("docs/lint.schema.json")), Vec::<String>::new());
}

fn owned(place: &(&str, u64, u64, u64, u64)) -> (String, u64, u64, u64, u64) {
    (place.0.to_owned(), place.1, place.2, place.3, place.4)
}

fn place_of_json(finding: &Value) -> (String, u64, u64, u64, u64) {
    let number = |key: &str| finding[key].as_u64().unwrap();
    let rule = finding["rule"].as_str().unwrap().to_owned();
    (rule, number("line"), number("column"), number("end_line"), number("end_column"))
}

#[test]
fn sarif_is_as_the_standard_says() {
    let value = json("sarif");
    assert_eq!(
        json_schema::problems(&value, &schema("fixtures/lint/sarif.schema.json")),
        Vec::<String>::new()
    );
    let run = &value["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let ids: BTreeSet<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), rules.len());
    for (result, place) in run["results"].as_array().unwrap().iter().zip(&PLACES) {
        assert_eq!(result["ruleId"], place.0);
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let location = &result["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"]["uri"], "a%20b/1_%C3%A4%2C%25.up.sql");
        let region = &location["region"];
        assert_eq!(
            [&region["startLine"], &region["startColumn"], &region["endLine"], &region["endColumn"]],
            [place.1, place.2, place.3, place.4].map(Value::from).each_ref()
        );
    }
    assert_eq!(run["results"].as_array().unwrap().len(), PLACES.len());
}

#[test]
fn github_commands_are_one_line_each() {
    let text = output(&sample(), "github");
    let commands: Vec<&str> = text.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(commands.len(), PLACES.len());
    let file = "file=a b/1_ä%2C%25.up.sql";
    let starts = [
        format!("::error {file},line=2,endLine=2,col=13,endColumn=31,title=twostep%3A drop-table::"),
        format!("::error {file},line=6,endLine=6,col=2,endColumn=25,title=twostep%3A drop-column::"),
        format!("::error {file},line=7,endLine=8,title=twostep%3A create-index-nonconcurrent::"),
    ];
    for (command, start) in commands.iter().zip(&starts) {
        assert!(command.starts_with(start.as_str()), "{command}");
    }
    assert!(commands[1].contains("`e,mail:|%25`") && commands[1].contains("%0Awhy: "), "{}", commands[1]);
}

#[test]
fn gitlab_gets_what_it_needs() {
    let value = json("gitlab");
    let entries = value.as_array().unwrap();
    let fingerprints: BTreeSet<&str> =
        entries.iter().map(|one| one["fingerprint"].as_str().unwrap()).collect();
    assert_eq!((entries.len(), fingerprints.len()), (PLACES.len(), PLACES.len()));
    for (entry, place) in entries.iter().zip(&PLACES) {
        assert_eq!(entry["check_name"], place.0);
        assert_eq!(entry["severity"], "critical");
        assert_eq!(entry["location"]["path"], FILE);
        assert_eq!(entry["location"]["lines"], serde_json::json!({ "begin": place.1, "end": place.3 }));
        assert!(entry["description"].as_str().is_some_and(|text| !text.is_empty()));
    }
}

#[test]
fn text_shows_the_lines_with_carets() {
    let text = output(&sample(), "text");
    for (rule, line, column, ..) in PLACES {
        let at = format!(" --> {FILE}:{line}:{column}\n");
        let found = text.split("\n\n").find(|part| part.starts_with(&format!("error[{rule}]: ")));
        assert!(found.is_some_and(|part| part.contains(&at)), "no `{at}` for {rule} in\n{text}");
    }
    let lines = "6 |     drop column \"e,mail:|%\";\n  |     ^^^^^^^^^^^^^^^^^^^^^^^\n";
    assert!(text.contains(lines), "{text}");
    assert!(text.contains("7 | / create index i\n8 | |   on users (b);\n"), "{text}");
    assert!(!text.contains('\r'), "{text}");
}

#[test]
fn markdown_names_each_line() {
    let text = output(&sample(), "markdown");
    assert!(text.starts_with("<!-- twostep lint -->\n### twostep lint: 3 errors in 1 migration"), "{text}");
    for (rule, line, ..) in PLACES {
        let row = format!("| error | `{FILE}:{line}` | ");
        assert!(text.lines().any(|found| found.starts_with(&row) && found.contains(rule)), "{text}");
    }
    assert!(text.contains("`e,mail:\\|%`"), "{text}");
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}

#[test]
fn junit_has_a_case_for_each() {
    let text = output(&sample(), "junit");
    assert!(
        text.contains("<testsuites name=\"twostep lint\" tests=\"3\" failures=\"3\" errors=\"0\">"),
        "{text}"
    );
    for (rule, line, column, ..) in PLACES {
        let case = format!("name=\"{line}:{column} {rule}\" file=\"{FILE}\" line=\"{line}\">");
        assert!(text.contains(&case), "no `{case}` in\n{text}");
    }
    let none = project(&[("1_a.up.sql", "select 1;\n")]);
    let clean = lint(&none, &["--engine", "postgres", "--format", "junit", "--rule", "all=off", "."])
        .expect(0)
        .stdout;
    assert!(clean.contains("tests=\"1\" failures=\"0\"") && clean.contains("nothing found"), "{clean}");
}

#[test]
fn what_does_not_fail_the_run_does_not_fail_a_case() {
    let arguments = ["--engine", "postgres", "--format", "junit", "--fail-on", "never", "a b"];
    let text = lint(&sample(), &arguments).expect(0).stdout;
    assert!(text.contains(" failures=\"0\" ") && !text.contains("<failure"), "{text}");
}

#[test]
fn no_output_deceives_who_reads_it() {
    // Behind U+202E a reader sees the rest from right to left; ESC [ lets a terminal write over what it has shown.
    let sql = "-- only \u{202e} ;\u{2066} a note\ndrop table \"a\u{202e}b\u{1b}[2K\";\n";
    let sample = project(&[("a\u{202e}b/1_a.up.sql", sql)]);
    let deceives = |one: char| twostep::text::deceives(one) && one != '\n';
    for output in twostep::report::OUTPUTS {
        let arguments = ["--engine", "postgres", "--format", output.id, "a\u{202e}b"];
        let text = lint(&sample, &arguments).expect(1).stdout;
        assert!(!text.contains(deceives), "{}: {text:?}", output.id);
        assert!(text.contains("202e"), "{}: {text}", output.id);
    }
    // What programs read is what stands there.
    let json = lint(&sample, &["--engine", "postgres", "--format", "json", "."]).expect(1).stdout;
    let findings: Value = serde_json::from_str(&json).unwrap();
    let all = findings["findings"].as_array().unwrap();
    let rules: Vec<&str> = all.iter().map(|one| one["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["deceptive-text", "drop-table", "deceptive-text"]);
    assert_eq!(all[1]["file"], "a\u{202e}b/1_a.up.sql");
    assert_eq!(all[1]["statement"], "drop table \"a\u{202e}b\u{1b}[2K\"");
}
