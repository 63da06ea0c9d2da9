//! What becomes of a query that names labels of an enum, when labels go or get other names.

use super::judge::{Judge, Verdict};
use super::values;
use crate::engine::own_labels;
use crate::engine::query::builtin::refuses_unknown_labels;
use crate::engine::query::tree::Value;
use crate::evidence::uses::ColumnUse;
use crate::name::{ObjectName, TableName};
use crate::schema::change::DataType;
use crate::schema::model::{Column, Schema, UserTypeKind};

/// The labels of an enum, before and after.
struct Labels {
    gone: Vec<String>,
    new: Vec<String>,
    /// Whether the type was made anew, under the same name or another one.
    rebuilt: bool,
}

impl Labels {
    /// What differs, where labels went; `rebuilt`: whether the type is surely another one.
    fn between(before: Vec<String>, after: &[String], rebuilt: bool) -> Option<Labels> {
        let new: Vec<String> = after.iter().filter(|label| !before.contains(label)).cloned().collect();
        let gone: Vec<String> = before.into_iter().filter(|label| !after.contains(label)).collect();
        (!gone.is_empty()).then_some(Labels { gone, new, rebuilt })
    }

    fn named<'v>(&self, values: impl IntoIterator<Item = &'v Value>) -> Option<&'v str> {
        values.into_iter().find_map(|value| match value {
            Value::Text(text) if self.gone.contains(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

impl Judge<'_> {
    /// Labels that a query writes to a column, or compares it with.
    pub(super) fn labels(&mut self, key: &TableName, old: &Column, new: &Column, used: &ColumnUse) {
        let Some((from, to)) = old.data_type.as_ref().zip(new.data_type.as_ref()) else { return };
        let Some(labels) = self.between(from, to) else { return };
        let column = format!("{key}.{}", old.name);
        let all = || used.values.iter().chain(&used.against);
        if let Some(label) = labels.named(all()).filter(|_| from.dimensions == 0) {
            let (is_written, is_refused) =
                (labels.named(&used.values).is_some(), refuses_unknown_labels(self.dialect));
            match (is_refused, is_written) {
                // It looks for the label's number when it reads the query.
                (true, _) => self.add(Verdict::Fails, format!("`{column}` no longer takes '{label}'")),
                (false, true) => {
                    self.add(
                        Verdict::WritesWrongly,
                        format!("it writes '{label}' to `{column}`, which no longer takes it"),
                    );
                }
                (false, false) => {
                    self.add(
                        Verdict::NotCertain,
                        format!("it compares `{column}` with '{label}', which it no longer has"),
                    );
                }
            }
            return;
        }
        let is_told = |value: &Value| match value {
            // A list of labels, perhaps.
            Value::Text(text) => from.dimensions == 0 && !text.contains(','),
            Value::Null | Value::Default | Value::Column(_) => true,
            Value::Number(_) | Value::Literal(..) | Value::Unknown => false,
        };
        let gone = labels.gone.join(", ");
        if !all().all(is_told) {
            self.add(Verdict::NotCertain, format!("`{column}` no longer takes {gone}"));
        } else if self.returns(key, &old.name) {
            if labels.rebuilt {
                let why = format!(
                    "the type of `{column}` is made anew; where it is prepared already it fails: cached plan must not \
                     change result type"
                );
                self.add(Verdict::OtherResult, why);
            } else if !labels.new.is_empty() {
                let new = labels.new.join(", ");
                let why =
                    format!("its result can hold {new} of `{column}`, where {gone} is no label any more");
                self.add(Verdict::NotCertain, why);
            }
        }
    }

    /// Labels that a query casts to their type.
    pub(super) fn casts(&mut self) {
        for (name, value) in &self.before.uses.casts {
            let (Some(before), Some(after)) =
                (of_type(self.before.schema, name), of_type(self.after.schema, name))
            else {
                continue;
            };
            let Some(labels) = Labels::between(before, &after, false) else { continue };
            if let Some(label) = labels.named([value]) {
                self.add(Verdict::Fails, format!("`{name}` no longer has the label '{label}'"));
            } else if !values::is_known(value) {
                let why = format!("it casts to `{name}`, which no longer has {}", labels.gone.join(", "));
                self.add(Verdict::NotCertain, why);
            }
        }
    }

    /// Whether both types are lists of labels, of which each is judged by itself.
    pub(super) fn are_labels(&self, from: &DataType, to: &DataType) -> bool {
        [from, to].iter().all(|one| own_labels(one, self.dialect).is_some())
    }

    fn between(&self, from: &DataType, to: &DataType) -> Option<Labels> {
        let own = |data_type| own_labels(data_type, self.dialect);
        if let (Some(before), Some(after)) = (own(from), own(to)) {
            return Labels::between(before.to_vec(), after, false);
        }
        let (old, new) = (from.object_name(), to.object_name());
        let created = |schema: &Schema, name: &ObjectName| schema.user_type(name).map(|one| one.created);
        let rebuilt = created(self.before.schema, &old) != created(self.after.schema, &new);
        let (before, after) = (of_type(self.before.schema, &old)?, of_type(self.after.schema, &new)?);
        let labels = Labels::between(before, &after, rebuilt)?;
        // A label can get another name, and never goes alone.
        Some(Labels { rebuilt: rebuilt || labels.new.is_empty(), ..labels })
    }
}

/// The labels of the enum `name`.
fn of_type(schema: &Schema, name: &ObjectName) -> Option<Vec<String>> {
    match &schema.user_type(name)?.kind {
        UserTypeKind::Enum(labels) => Some(labels.iter().map(|label| label.value.clone()).collect()),
        _ => None,
    }
}
