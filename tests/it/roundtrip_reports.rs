//! What `twostep roundtrip` prints: its JSON is as its schema says, its XML is well-formed, and none of them is led
//! astray by what stands in a migration.

use serde_json::Value;
use std::path::Path;

use crate::twostep::Project;

fn project() -> Project {
    Project::with_migrations(&[
        ("0_c.up.sql", "create table c (id integer);"),
        ("1_a.up.sql", "create table a (id integer, \"<b> & `c` | \"\"d\"\"\" text);"),
        ("1_a.down.sql", "select 1;"),
        ("2_b.up.sql", "create table b (id integer);"),
        ("2_b.down.sql", "drop table b;"),
    ])
}

fn printed(format: &str) -> String {
    let arguments =
        ["roundtrip", "--engine", "sqlite", "--format", format, "--allow", "0_c=it is <new> & \"odd\""];
    project().twostep(&arguments).run().expect(1).stdout
}

/// Where `value` is not as `schema` says; the keywords that our schema uses.
fn violations(value: &Value, schema: &Value, root: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.strip_prefix("#/$defs/").expect("a definition of its own");
        return violations(value, &root["$defs"][name], root, at, found);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec![kind],
    };
    if !allowed.contains(&kind) {
        return found.push(format!("{at} is {kind}, not {allowed:?}"));
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        found.push(format!("{at} is {value}, none of {values:?}"));
    }
    for item in value.as_array().into_iter().flatten() {
        violations(item, &schema["items"], root, &format!("{at}[]"), found);
    }
    let Some(object) = value.as_object() else { return };
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(required) {
            found.push(format!("{at} lacks {required}"));
        }
    }
    for (key, inner) in object {
        match &schema["properties"][key] {
            Value::Null if schema["additionalProperties"] == false => found.push(format!("{at} has {key}")),
            Value::Null => {
                violations(inner, &schema["additionalProperties"], root, &format!("{at}.{key}"), found)
            }
            known => violations(inner, known, root, &format!("{at}.{key}"), found),
        }
    }
}

#[test]
fn json_is_as_its_schema_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/roundtrip.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let value: Value = serde_json::from_str(&printed("json")).unwrap();
    let check = |value: &Value| {
        let mut found = Vec::new();
        violations(value, &schema, &schema, "$", &mut found);
        found
    };
    assert_eq!(check(&value), [""; 0]);
    assert_eq!(value["failures"], 2);
    // And the check sees what is wrong.
    let mut wrong = value.clone();
    wrong["migrations"][0]["verdict"] = "fine".into();
    wrong["more"] = 1.into();
    wrong.as_object_mut().unwrap().remove("server");
    assert_eq!(check(&wrong).len(), 3, "{:?}", check(&wrong));
}

#[test]
fn junit_counts_what_it_holds_and_is_well_formed() {
    let xml = printed("junit");
    let open = |tag: &str| xml.matches(&format!("<{tag}")).count();
    assert!(xml.contains("tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"1\""), "{xml}");
    assert_eq!((open("testcase "), open("failure "), open("skipped ")), (4, 2, 1), "{xml}");
    assert!(xml.contains("message=\"no down; known: it is &lt;new&gt; &amp; &quot;odd&quot;\""), "{xml}");
    // Every angle is one of a tag, and every tag is closed.
    let mut path: Vec<String> = Vec::new();
    for part in xml.split('<').skip(2) {
        let (tag, text) = part.split_once('>').unwrap_or_else(|| panic!("an open tag: {part}"));
        assert!(!text.contains('>'), "{text}");
        let name = tag.split(' ').next().unwrap().trim_end_matches('/');
        match name.strip_prefix('/') {
            Some(closed) => assert_eq!(path.pop().as_deref(), Some(closed)),
            None if tag.ends_with('/') => {}
            None => path.push(name.to_owned()),
        }
    }
    assert!(path.is_empty(), "{path:?}");
}

#[test]
fn markdown_folds_diffs_and_text_shows_them() {
    let markdown = printed("markdown");
    assert!(
        markdown.starts_with("### twostep roundtrip: 2 round trips do not close\n\n| migration |"),
        "{markdown}"
    );
    assert!(markdown.contains("| `1_a` | **down does nothing** |"), "{markdown}");
    assert!(markdown.contains("| `0_c` | no down | known: it is &lt;new> & \"odd\" |"), "{markdown}");
    assert!(markdown.contains("```diff\n--- before 1_a\n"), "{markdown}");
    let text = printed("text");
    assert!(
        text.starts_with("0_c  no down (known: it is <new> & \"odd\")\n1_a  down does nothing\n2_b  exact\n"),
        "{text}"
    );
    assert!(
        text.contains("\n1_a: down does nothing (1_a.down.sql)\n") && text.contains("\n  --- before 1_a\n"),
        "{text}"
    );
}
