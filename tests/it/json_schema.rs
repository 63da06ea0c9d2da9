//! Checks a JSON value against a JSON Schema: the words that our schemas use, and no word that it does not know.

use serde_json::Value;

/// What is wrong with `value` by `schema`, each with its place.
pub fn problems(value: &Value, schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(value, schema, schema, "$", &mut found);
    found
}

fn check(value: &Value, schema: &Value, root: &Value, at: &str, found: &mut Vec<String>) {
    let words = schema.as_object().expect("a schema is an object");
    for (word, wanted) in words {
        let right = match word.as_str() {
            "$schema" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let path =
                    wanted.as_str().and_then(|path| path.strip_prefix('#')).expect("it stays in the file");
                let target = root.pointer(path).unwrap_or_else(|| panic!("nothing is at {path}"));
                check(value, target, root, at, found);
                true
            }
            "type" => is_of_type(value, wanted.as_str().expect("one type")),
            "enum" => list(wanted).contains(value),
            "minimum" => value.as_f64().is_none_or(|value| value >= wanted.as_f64().expect("a number")),
            "minLength" => value.as_str().is_none_or(|text| text.chars().count() >= size(wanted)),
            "minItems" => value.as_array().is_none_or(|items| items.len() >= size(wanted)),
            "maxItems" => value.as_array().is_none_or(|items| items.len() <= size(wanted)),
            "anyOf" => list(wanted).iter().any(|one| {
                let mut wrong = Vec::new();
                check(value, one, root, at, &mut wrong);
                wrong.is_empty()
            }),
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(item, wanted, root, &format!("{at}[{number}]"), found);
                }
                true
            }
            "properties" => {
                let known = wanted.as_object().expect("an object");
                for (name, inner) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = known.get(name) {
                        check(inner, schema, root, &format!("{at}.{name}"), found);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = words.get("properties").and_then(Value::as_object);
                let is_known = |name: &String| known.is_some_and(|known| known.contains_key(name));
                let mut others = value.as_object().into_iter().flatten().filter(|(name, _)| !is_known(name));
                if wanted.is_object() {
                    for (name, inner) in others {
                        check(inner, wanted, root, &format!("{at}.{name}"), found);
                    }
                    true
                } else {
                    assert_eq!(*wanted, Value::Bool(false), "a schema or `false`");
                    others.next().is_none()
                }
            }
            "required" => {
                let has = |name: &Value| value.get(name.as_str().expect("a name")).is_some();
                !value.is_object() || list(wanted).iter().all(has)
            }
            other => panic!("the schema says `{other}`, which this check does not know"),
        };
        if !right {
            found.push(format!("{at}: not as `{word}` wants it ({wanted}): {value}"));
        }
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("a type `{other}` is not known"),
    }
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

fn size(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("a number")).expect("a small one")
}

#[test]
fn what_is_wrong_is_found() {
    let schema = serde_json::json!({
        "type": "object", "additionalProperties": false, "required": ["a"],
        "properties": { "a": { "$ref": "#/$defs/n" }, "b": { "type": "array", "minItems": 1, "items": { "enum": ["x"] } } },
        "$defs": { "n": { "anyOf": [{ "type": "null" }, { "type": "integer", "minimum": 2 }] } },
    });
    let count = |value: Value| problems(&value, &schema).len();
    assert_eq!(count(serde_json::json!({"a": 2, "b": ["x"]})), 0);
    assert_eq!(count(serde_json::json!({"a": null})), 0);
    assert_eq!(count(serde_json::json!({"a": 1})), 1);
    assert_eq!(count(serde_json::json!({"b": ["y"]})), 2);
    assert_eq!(count(serde_json::json!({"a": 2, "c": 1})), 1);
    assert_eq!(count(serde_json::json!({"a": 2, "b": []})), 1);
    assert_eq!(count(serde_json::json!([])), 1);
}
