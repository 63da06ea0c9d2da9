//! The body that a string of a statement holds.

use crate::dialect::Dialect;
use crate::sql::phrase::Phrase;

/// The start of the body that a string holds.
pub(super) fn body(string: &str) -> Phrase<'_> {
    let inner = match string.strip_prefix('$').and_then(|rest| rest.find('$')) {
        Some(at) => string.get(at + 2..string.len().saturating_sub(at + 2)),
        None => string.get(1..string.len().saturating_sub(1)),
    };
    Phrase::new(inner.unwrap_or(""), Dialect::Postgres)
}
