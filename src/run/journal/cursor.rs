//! How far a backfill has come, as it stands in the journal.

use serde_json::json;

/// How far a statement that runs in chunks of rows has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The key of the last row of the last chunk that is committed, as text. None where that was the end of the table.
    pub after: Option<Vec<String>>,
    /// How many rows lie before it.
    pub rows: u64,
}

impl Cursor {
    /// What stands in the journal.
    pub fn to_text(&self) -> String {
        json!({ "after": self.after, "rows": self.rows }).to_string()
    }

    /// Reads it back; none where the text is something else.
    pub fn from_text(text: &str) -> Option<Cursor> {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        let parts = value.get("after")?.as_array();
        let key = |key: &Vec<serde_json::Value>| {
            key.iter().filter_map(|part| part.as_str().map(str::to_owned)).collect()
        };
        Some(Cursor { after: parts.map(key), rows: value.get("rows")?.as_u64()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_they_are_written() {
        for after in [Some(vec!["1".to_owned(), "a'b".to_owned()]), None] {
            let cursor = Cursor { after, rows: 7 };
            assert_eq!(Cursor::from_text(&cursor.to_text()), Some(cursor));
        }
        for other in ["{}", "", r#"{"table `after`": null, "rows": null}"#] {
            assert_eq!(Cursor::from_text(other), None);
        }
    }
}
