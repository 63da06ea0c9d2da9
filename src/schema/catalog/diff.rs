//! Two catalogs compared: which objects are missing, which are left over, and what is different in the others.

use super::{Catalog, ObjectKey, ObjectText, object_lines};
use similar::{ChangeTag, TextDiff};
use std::collections::BTreeMap;

/// What is different about one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectDiff {
    /// Only the first catalog has it.
    Missing(ObjectText),
    /// Only the second catalog has it.
    Extra(ObjectText),
    /// Both have it, and it is not the same.
    Changed {
        /// In the first catalog.
        before: ObjectText,
        /// In the second one.
        after: ObjectText,
    },
    /// Both have it, and it is the same but for the order of its columns.
    ColumnOrder {
        /// In the first catalog.
        before: ObjectText,
        /// In the second one.
        after: ObjectText,
    },
}

/// All differences between two catalogs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CatalogDiff {
    /// The objects that are different.
    pub objects: BTreeMap<ObjectKey, ObjectDiff>,
}

/// Compares `before` with `after`.
pub fn diff(before: &Catalog, after: &Catalog) -> CatalogDiff {
    let mut objects = BTreeMap::new();
    for (key, old) in &before.objects {
        let difference = match after.objects.get(key) {
            None => ObjectDiff::Missing(old.clone()),
            Some(new) if new == old => continue,
            Some(new) if is_column_order(old, new) => {
                ObjectDiff::ColumnOrder { before: old.clone(), after: new.clone() }
            }
            Some(new) => ObjectDiff::Changed { before: old.clone(), after: new.clone() },
        };
        objects.insert(key.clone(), difference);
    }
    for (key, new) in &after.objects {
        if !before.objects.contains_key(key) {
            objects.insert(key.clone(), ObjectDiff::Extra(new.clone()));
        }
    }
    CatalogDiff { objects }
}

/// Whether two texts of one object differ in the order of the columns alone.
fn is_column_order(before: &ObjectText, after: &ObjectText) -> bool {
    let sorted = |object: &ObjectText| {
        let mut columns = object.columns.clone();
        columns.sort_unstable();
        columns
    };
    before.properties == after.properties && before.parts == after.parts && sorted(before) == sorted(after)
}

impl ObjectDiff {
    /// The object before and after; none where it is not there.
    fn sides(&self) -> (Option<&ObjectText>, Option<&ObjectText>) {
        match self {
            ObjectDiff::Missing(before) => (Some(before), None),
            ObjectDiff::Extra(after) => (None, Some(after)),
            ObjectDiff::Changed { before, after } | ObjectDiff::ColumnOrder { before, after } => {
                (Some(before), Some(after))
            }
        }
    }
}

impl CatalogDiff {
    /// Whether the catalogs are equal.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Whether there are differences, and all of them are the order of columns.
    pub fn is_column_order_only(&self) -> bool {
        !self.is_empty()
            && self.objects.values().all(|object| matches!(object, ObjectDiff::ColumnOrder { .. }))
    }

    /// What the first catalog has and the second lacks, an item each, with its object. Of an object that is missing
    /// as a whole, only itself. The order of columns is not in it.
    pub fn missing(&self) -> Vec<String> {
        self.one_sided(|(before, after)| (before, after))
    }

    /// What the second catalog has and the first lacks; see [`missing`](Self::missing).
    pub fn extra(&self) -> Vec<String> {
        self.one_sided(|(before, after)| (after, before))
    }

    /// The items of one side that are not on the other.
    fn one_sided(
        &self,
        order: impl for<'a> Fn((Option<&'a ObjectText>, Option<&'a ObjectText>)) -> Sides<'a>,
    ) -> Vec<String> {
        let mut out = Vec::new();
        for (key, object) in &self.objects {
            match order(object.sides()) {
                (None, _) => {}
                (Some(_), None) => out.push(key.to_string()),
                (Some(here), Some(there)) => {
                    let mut others: Vec<&str> = there.items().collect();
                    for item in here.items() {
                        match others.iter().position(|other| *other == item) {
                            Some(found) => drop(others.swap_remove(found)),
                            None => out.push(format!("{key}: {item}")),
                        }
                    }
                }
            }
        }
        out
    }

    /// The differences as a unified diff of the catalogs' text, with `context` equal lines around each change. Every
    /// hunk opens with the object that it is about.
    pub fn unified(&self, before_title: &str, after_title: &str, context: usize) -> String {
        if self.is_empty() {
            return String::new();
        }
        let mut out = format!("--- {before_title}\n+++ {after_title}\n");
        for (key, object) in &self.objects {
            let (before, after) = object.sides();
            let lines =
                |side: Option<&ObjectText>| side.map_or_else(Vec::new, |text| object_lines(key, text));
            hunks(&mut out, key, &lines(before), &lines(after), context);
        }
        out
    }
}

type Sides<'a> = (Option<&'a ObjectText>, Option<&'a ObjectText>);

/// Appends the hunks of one object.
fn hunks(out: &mut String, key: &ObjectKey, before: &[String], after: &[String], context: usize) {
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    let after: Vec<&str> = after.iter().map(String::as_str).collect();
    let diff = TextDiff::from_slices(&before, &after);
    for group in diff.grouped_ops(context) {
        out.push_str(&format!("@@ {key} @@\n"));
        for operation in group {
            for change in diff.iter_changes(&operation) {
                let sign = match change.tag() {
                    ChangeTag::Equal => ' ',
                    ChangeTag::Delete => '-',
                    ChangeTag::Insert => '+',
                };
                out.push(sign);
                out.push_str(change.value());
                out.push('\n');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::CatalogKind;
    use super::*;

    fn table(name: &str, columns: &[&str], parts: &[&str]) -> (ObjectKey, ObjectText) {
        let owned = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        let text = ObjectText { properties: Vec::new(), columns: owned(columns), parts: owned(parts) };
        (ObjectKey { kind: CatalogKind::Table, name: name.to_owned() }, text)
    }

    fn catalog(objects: impl IntoIterator<Item = (ObjectKey, ObjectText)>) -> Catalog {
        Catalog { objects: objects.into_iter().collect() }
    }

    #[test]
    fn equal_catalogs_have_no_difference() {
        let one = catalog([table("t", &["column a integer"], &[])]);
        let none = diff(&one, &one.clone());
        assert!(none.is_empty());
        assert!(!none.is_column_order_only());
        assert_eq!(none.unified("a", "b", 3), "");
    }

    #[test]
    fn column_order_is_told_apart() {
        let before = catalog([table("t", &["column a integer", "column b text"], &["index i"])]);
        let after = catalog([table("t", &["column b text", "column a integer"], &["index i"])]);
        let order = diff(&before, &after);
        assert!(order.is_column_order_only());
        assert_eq!(order.missing(), [""; 0]);
        let more = catalog([table("t", &["column b text", "column a integer"], &["index i", "index j"])]);
        let both = diff(&before, &more);
        assert!(!both.is_column_order_only());
        assert_eq!(both.extra(), ["table t: index j"]);
        let other_column = catalog([table("t", &["column b integer", "column a integer"], &["index i"])]);
        assert!(!diff(&before, &other_column).is_column_order_only());
        // The same line twice is not the same as once.
        let twice = catalog([table("t", &["column a integer", "column a integer"], &["index i"])]);
        assert!(!diff(&twice, &before).is_column_order_only());
        assert_eq!(diff(&twice, &before).missing(), ["table t: column a integer"]);
    }

    #[test]
    fn missing_extra_and_changed_objects_are_shown() {
        let before = catalog([
            table("gone", &["column a integer"], &[]),
            table("t", &["column a integer", "column b text", "column c text"], &["index i\ncomment: x"]),
        ]);
        let after = catalog([
            table("left", &["column a integer"], &[]),
            table("t", &["column a bigint", "column b text", "column c text"], &["index i\ncomment: y"]),
        ]);
        let found = diff(&before, &after);
        assert_eq!(
            found.missing(),
            ["table gone", "table t: column a integer", "table t: index i\ncomment: x"]
        );
        assert_eq!(found.extra(), ["table left", "table t: column a bigint", "table t: index i\ncomment: y"]);
        insta::assert_snapshot!(found.unified("before", "after", 1), @r"
        --- before
        +++ after
        @@ table gone @@
        -table gone
        -  column a integer
        @@ table left @@
        +table left
        +  column a integer
        @@ table t @@
         table t
        -  column a integer
        +  column a bigint
           column b text
        @@ table t @@
           index i
        -    comment: x
        +    comment: y
        ");
    }
}
