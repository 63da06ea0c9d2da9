//! What a name in a query stands for: `*`, a qualifier, a column.

use super::*;

impl Resolver<'_> {
    /// `*` or `qualifier.*`.
    pub(super) fn star(&mut self, qualifier: &[Name], output: &mut Columns) {
        let sources: Vec<Visible> = match qualifier.last() {
            None => {
                let frame = self.frames.last().cloned().unwrap_or_default();
                frame.sources.into_iter().filter(|source| !source.qualified_only).collect()
            }
            Some(_) => match self.visible(qualifier) {
                Some(source) => vec![source.clone()],
                None => {
                    let name = qualifier.last().map(ToString::to_string).unwrap_or_default();
                    // PostgreSQL also expands a column of a composite type.
                    let is_column = qualifier.len() == 1 && self.lookup(qualifier).is_some();
                    if !is_column {
                        self.uses.problem(format!("missing FROM-clause entry for table \"{name}\""));
                    }
                    output.open = Open::Foreign;
                    return;
                }
            },
        };
        let qualified = !qualifier.is_empty();
        for source in sources {
            match &source.columns.open {
                Open::No => {}
                Open::Foreign => output.open = Open::Foreign,
                Open::Unsure(relation) => {
                    self.uses.stars.insert(relation.clone());
                    output.open = Open::Unsure(relation.clone());
                }
            }
            for known in &source.columns.known {
                if known.invisible || (known.merged && !qualified) {
                    continue;
                }
                for (relation, _) in &known.origins {
                    self.uses.stars.insert(relation.clone());
                }
                self.used(&known.origins, false);
                output.known.push(Known { merged: false, ..known.clone() });
            }
        }
    }

    /// The relation that a qualifier names, innermost first.
    pub(in crate::evidence) fn visible(&self, qualifier: &[Name]) -> Option<&Visible> {
        let (name, schema) = match qualifier {
            [name] => (name, None),
            [.., schema, name] => (name, Some(schema)),
            [] => return None,
        };
        let fits = |source: &&Visible| {
            source.name.as_ref().is_some_and(|known| self.same(known, name))
                && schema.is_none_or(|schema| {
                    let own = source.relation.as_ref().and_then(|relation| relation.schema.as_ref());
                    own.is_some_and(|own| self.same(own, schema))
                })
        };
        self.frames.iter().rev().find_map(|frame| frame.sources.iter().find(fits))
    }

    /// The column that a path names, if it is known.
    pub(in crate::evidence) fn lookup(&self, path: &[Name]) -> Option<&Known> {
        match path {
            [name] => {
                self.frames.iter().rev().find_map(|frame| match frame.bare(|other| self.same(other, name)) {
                    Found::One(known) => Some(known),
                    Found::Ambiguous | Found::Unsure(_) | Found::Foreign | Found::None => None,
                })
            }
            [qualifier @ .., name] => {
                let columns = &self.visible(qualifier)?.columns;
                columns.known.iter().find(|known| self.same(&known.name, name))
            }
            [] => None,
        }
    }

    /// Resolves a column; gives what it is made of.
    pub(super) fn column(&mut self, path: &[Name]) -> Vec<Origin> {
        let found = match path {
            [name] => self.bare(name),
            [qualifier @ .., name] => self.qualified(qualifier, name),
            [] => return Vec::new(),
        };
        match found {
            Ok(origins) => {
                self.used(&origins, false);
                origins
            }
            Err(Some(problem)) => {
                self.uses.problem(problem);
                Vec::new()
            }
            Err(None) => Vec::new(),
        }
    }

    pub(super) fn bare(&mut self, name: &Name) -> Result<Vec<Origin>, Option<String>> {
        let dialect = self.schema.dialect;
        let (mut unsure, mut foreign, mut any) = (Vec::new(), false, false);
        for frame in self.frames.iter().rev() {
            any |= !frame.sources.is_empty();
            match frame.bare(|other| same(other, name, dialect)) {
                Found::One(known) => return Ok(known.origins.clone()),
                Found::Ambiguous => return Err(Some(format!("column reference \"{name}\" is ambiguous"))),
                Found::Unsure(relations) => unsure.extend(relations),
                Found::Foreign => foreign = true,
                Found::None => {}
            }
        }
        let whole_row = self.visible(std::slice::from_ref(name)).is_some();
        if whole_row && builtin::has_whole_rows(dialect) {
            self.star(std::slice::from_ref(name), &mut Columns::default());
            return Err(None);
        }
        if builtin::is_system_column(name, dialect) && any || builtin::may_be_a_value(name, dialect) {
            return Err(None);
        }
        match unsure.as_slice() {
            [only] if !foreign => Ok(vec![(only.clone(), name.clone())]),
            [] if foreign => Err(None),
            [] => Err(Some(format!("column \"{name}\" does not exist"))),
            many => {
                let all = many.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
                self.uses.doubt(format!(
                    "the column `{name}` can be one of {all}, whose columns are not all known"
                ));
                Ok(many.iter().map(|one| (one.clone(), name.clone())).collect())
            }
        }
    }

    pub(super) fn qualified(
        &mut self,
        qualifier: &[Name],
        name: &Name,
    ) -> Result<Vec<Origin>, Option<String>> {
        let dialect = self.schema.dialect;
        let shown = qualifier.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
        let Some(visible) = self.visible(qualifier) else {
            return Err(Some(format!("missing FROM-clause entry for table \"{shown}\"")));
        };
        if let Some(known) = visible.columns.known.iter().find(|known| same(&known.name, name, dialect)) {
            return Ok(known.origins.clone());
        }
        if builtin::is_system_column(name, dialect) {
            return Err(None);
        }
        match &visible.columns.open {
            Open::Foreign => Err(None),
            Open::Unsure(relation) => Ok(vec![(relation.clone(), name.clone())]),
            // `row.function`, as PostgreSQL allows.
            Open::No if !self.schema.routines(&ObjectName::bare(name.clone())).is_empty() => {
                self.call(&ObjectName::bare(name.clone()), 1);
                Err(None)
            }
            Open::No => Err(Some(format!("column {shown}.{name} does not exist"))),
        }
    }
}
