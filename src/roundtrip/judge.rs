//! One migration after the other: up, look, down, compare with before, up, compare with after.

use super::apply::{Applier, ApplyError};
use super::bench::{Bench, Down, Ready, words};
use super::prerequisite::Prerequisite;
use super::rows::Rows;
use super::run::RoundtripError;
use super::verdict::{Judgement, SecondUp, Verdict};
use crate::db::error::DbErrorClass;
use crate::dialect::Dialect;
use crate::name::Name;
use crate::run::task::Direction;
use crate::schema::catalog::diff::diff;
use crate::schema::catalog::{Catalog, ObjectKey};
use crate::source::Kind;
use std::collections::BTreeSet;
use std::time::Instant;

/// The databases of a run.
///
/// On `test` each migration goes up, down and up again. On `clean`, where the engine can copy databases, migrations only
/// ever go up, so that `test` can be made anew as soon as a down was not exact: the next migration is judged on what
/// `migrate` would have left, whatever its predecessors' downs do.
pub(super) struct Judge<'a, 'b> {
    pub(super) bench: Bench<'a>,
    pub(super) migrations: &'b [Ready<'b>],
    pub(super) test: Option<Applier>,
    pub(super) clean: Option<Applier>,
    /// What `test` holds now.
    pub(super) catalog: Catalog,
    pub(super) rows: Rows,
    /// The migrations that are applied to both, by position.
    pub(super) applied: Vec<usize>,
    /// What the last up was refused for the lack of.
    pub(super) refused: Vec<Prerequisite>,
    /// The roles of the server, where they can be asked for.
    roles: BTreeSet<String>,
}

/// What is to be done with the databases behind a migration.
enum Next {
    /// `test` holds what the up made.
    Good,
    /// It has to be made anew.
    Renew,
    /// The up is refused and has left nothing.
    Untouched,
    /// The up is refused, and what it has left is unknown.
    RenewWithout,
}

impl<'a, 'b> Judge<'a, 'b> {
    pub(super) async fn new(
        mut bench: Bench<'a>,
        migrations: &'b [Ready<'b>],
    ) -> Result<Self, RoundtripError> {
        let mut test = bench.fresh().await?;
        let clean = if bench.place.can_copy() { Some(bench.fresh().await?) } else { None };
        let catalog = bench.catalog(&mut test).await?;
        let rows = bench.rows(&mut test).await;
        let roles = roles(&mut test).await;
        let (test, applied) = (Some(test), Vec::new());
        Ok(Self { bench, migrations, test, clean, catalog, rows, applied, refused: Vec::new(), roles })
    }

    /// Applies a migration without judging it; its complaint where it is refused.
    pub(super) async fn apply(&mut self, position: usize) -> Result<Option<String>, RoundtripError> {
        let ready = &self.migrations[position];
        let complaint = match &ready.up {
            Err(why) => Some(why.clone()),
            Ok(up) => {
                self.test().run(up, ready.version(), Direction::Up).await.err().map(|error| words(&error))
            }
        };
        if complaint.is_none() {
            self.applied.push(position);
        } else {
            self.renew().await?;
        }
        Ok(complaint)
    }

    /// Applies to `clean` what was just applied to `test` without being judged.
    pub(super) async fn follow(&mut self, position: usize) -> Result<(), RoundtripError> {
        let ready = &self.migrations[position];
        if let (Some(clean), Ok(up)) = (self.clean.as_mut(), &ready.up)
            && clean.run(up, ready.version(), Direction::Up).await.is_err()
        {
            return self.settle().await;
        }
        self.look().await
    }

    /// Behind migrations that were applied without being judged: `clean` becomes what `test` is.
    pub(super) async fn settle(&mut self) -> Result<(), RoundtripError> {
        if let Some(clean) = self.clean.take() {
            self.bench.remove(clean).await?;
            let test = self.test.take().expect("it is only away while it is renewed");
            let (test, copy) = self.bench.copy(test).await?;
            (self.test, self.clean) = (Some(test), Some(copy));
        }
        self.look().await
    }

    /// Judges a migration, and makes both databases ready for the next one.
    pub(super) async fn judge(&mut self, position: usize) -> Result<Judgement, RoundtripError> {
        let started = Instant::now();
        let ready = &self.migrations[position];
        let down_path = ready.migration.down.as_ref().map(|down| down.path.clone());
        let mut judged = Judgement {
            version: ready.version().clone(),
            label: ready.label.clone(),
            path: down_path.unwrap_or_else(|| ready.migration.up.path.clone()),
            verdict: Verdict::UpFails,
            down: None,
            second_up: None,
            missing: Vec::new(),
            left: Vec::new(),
            diff: String::new(),
            rows: Vec::new(),
            notes: Vec::new(),
            allowed: None,
            duration: started.elapsed(),
        };
        let fills = self.bench.options.with_rows;
        let mut next = self.try_out(ready, &mut judged, fills).await?;
        if fills && judged.verdict == Verdict::UpFails && ready.up.is_ok() {
            // What an up may ask of the rows is its own matter: it is judged without any.
            let why = std::mem::take(&mut judged.notes);
            self.renew().await?;
            next = self.try_out(ready, &mut judged, false).await?;
            if judged.verdict != Verdict::UpFails {
                judged
                    .rows
                    .extend(why.iter().map(|why| format!("on generated rows its up is refused: {why}")));
            }
        }
        self.get_ready(position, next, &mut judged).await?;
        judged.duration = started.elapsed();
        Ok(judged)
    }

    /// Judges a migration, with rows in every table where `fills`.
    async fn try_out(
        &mut self,
        ready: &Ready<'_>,
        judged: &mut Judgement,
        fills: bool,
    ) -> Result<Next, RoundtripError> {
        if fills {
            // A trigger may make more of a row than a row.
            self.fill().await;
            self.look().await?;
        }
        let up = match &ready.up {
            Ok(up) => up,
            Err(why) => {
                judged.notes.push(why.clone());
                return Ok(Next::Untouched);
            }
        };
        if let Err(error) = self.test().run(up, ready.version(), Direction::Up).await {
            judged.notes.push(words(&error));
            let dialect = self.test().url().dialect();
            self.refused.extend(error.server().and_then(|error| Prerequisite::of(error, dialect)));
            let untouched = up.pieces.len() == 1 && up.pieces[0].atomic && !is_broken(&error);
            let rolls_back = dialect != Dialect::Mysql;
            return Ok(if untouched && rolls_back { Next::Untouched } else { Next::RenewWithout });
        }
        let (before, rows_before) = (std::mem::take(&mut self.catalog), std::mem::take(&mut self.rows));
        self.look().await?;
        let made_by_rows = if fills { self.fill_and_look().await? } else { Vec::new() };
        let down = match &ready.down {
            _ if ready.migration.kind == Kind::Repeatable => {
                judged.verdict = Verdict::Exact;
                return self.up_again(ready, judged, true, fills).await;
            }
            Down::Irreversible(why) => {
                judged.verdict = Verdict::Irreversible;
                judged.notes.push(why.clone());
                return Ok(Next::Good);
            }
            Down::None(why) => {
                judged.verdict = Verdict::NoDown;
                judged.notes.extend(why.clone());
                return Ok(Next::Good);
            }
            Down::Empty => {
                judged.verdict = Verdict::NoDown;
                return Ok(Next::Good);
            }
            Down::Script(Err(why)) => {
                (judged.verdict, judged.down) = (Verdict::DownFails, Some(Verdict::DownFails));
                judged.notes.push(why.clone());
                return Ok(Next::Good);
            }
            Down::Script(Ok(down)) => down,
        };
        if let Err(error) = self.test().run(down, ready.version(), Direction::Down).await {
            (judged.verdict, judged.down) = (Verdict::DownFails, Some(Verdict::DownFails));
            judged.notes.push(words(&error));
            let needed =
                error.server().and_then(|error| Prerequisite::of(error, self.test().url().dialect()));
            // Anything else that a down does not find, another migration has taken away.
            self.refused.extend(needed.filter(|needed| !matches!(needed, Prerequisite::Object(_))));
            return Ok(Next::Renew);
        }
        let (after, rows_after) = (self.catalog.clone(), self.rows.clone());
        self.look().await?;
        for key in &made_by_rows {
            self.catalog.objects.remove(key);
        }
        judged.verdict = self.compare_with_before(ready, judged, &before, &after);
        let rows = rows_before.compare(&self.rows);
        let exact = judged.verdict == Verdict::Exact;
        if (exact || judged.verdict == Verdict::ColumnOrder) && !rows.lost.is_empty() {
            judged.verdict = Verdict::LosesRows;
        }
        // Between the two, rows were generated where there were none.
        let added = if fills { Vec::new() } else { rows.added };
        judged.rows.extend(rows.lost.into_iter().chain(added));
        (self.catalog, self.rows) = (after, rows_after);
        self.up_again(ready, judged, exact, fills).await
    }

    /// What the down has come to; `self` holds what is there after it.
    fn compare_with_before(
        &self,
        ready: &Ready<'_>,
        judged: &mut Judgement,
        before: &Catalog,
        after: &Catalog,
    ) -> Verdict {
        let found = diff(before, &self.catalog);
        let verdict = if found.is_empty() {
            Verdict::Exact
        } else if found.is_column_order_only() {
            Verdict::ColumnOrder
        } else if self.catalog == *after {
            Verdict::DownDoesNothing
        } else {
            Verdict::NotReversed
        };
        judged.down = Some(verdict);
        let label = &ready.label;
        judged.set_difference(
            &found,
            &format!("before {label}"),
            &format!("after its down ({})", judged.path),
        );
        verdict
    }

    /// Runs the up again; `self` holds what the first one made. `exact`: whether the database before is the same.
    async fn up_again(
        &mut self,
        ready: &Ready<'_>,
        judged: &mut Judgement,
        exact: bool,
        fills: bool,
    ) -> Result<Next, RoundtripError> {
        let Ok(up) = &ready.up else { return Ok(Next::Renew) };
        // What was not reversed says enough; the second up only adds what follows from it.
        let decides = matches!(judged.verdict, Verdict::Exact | Verdict::ColumnOrder);
        if let Err(error) = self.test().run(up, ready.version(), Direction::Up).await {
            judged.second_up = Some(SecondUp::Fails);
            judged.notes.push(format!("the second up: {}", words(&error)));
            if decides {
                judged.verdict = Verdict::SecondUpFails;
            }
            return Ok(Next::Renew);
        }
        let (after, rows) = (std::mem::take(&mut self.catalog), std::mem::take(&mut self.rows));
        self.look().await?;
        let found = diff(&after, &self.catalog);
        let second = if found.is_empty() {
            SecondUp::Same
        } else if found.is_column_order_only() {
            SecondUp::ColumnOrder
        } else {
            SecondUp::Differs
        };
        judged.second_up = Some(second);
        if second == SecondUp::Differs && decides {
            judged.verdict = Verdict::SecondUpDiffers;
            judged.set_difference(&found, "after the first up", "after the second up");
        }
        // Generated rows may be what they are.
        let same = exact && second == SecondUp::Same && (fills || rows == self.rows);
        Ok(if same { Next::Good } else { Next::Renew })
    }

    /// Takes both databases to where the next migration finds them.
    async fn get_ready(
        &mut self,
        position: usize,
        next: Next,
        judged: &mut Judgement,
    ) -> Result<(), RoundtripError> {
        let good = match next {
            Next::Untouched => return Ok(()),
            Next::RenewWithout => return self.renew().await,
            Next::Good => true,
            Next::Renew => false,
        };
        let ready = &self.migrations[position];
        let roles = roles(self.test()).await;
        let changed = roles != self.roles;
        let before = std::mem::replace(&mut self.roles, roles);
        if changed && !good {
            self.forget_roles(&before).await?;
        }
        if let (Some(clean), Ok(up)) = (self.clean.as_mut(), &ready.up) {
            // Roles are the server's: an up that makes one is refused on the second database.
            let done = if changed && good {
                false
            } else {
                match clean.run(up, ready.version(), Direction::Up).await {
                    Ok(()) => true,
                    Err(error) if good => {
                        tracing::debug!(
                            "{}: a copy is made, for its up does not run twice: {error}",
                            ready.label
                        );
                        false
                    }
                    Err(error) => {
                        judged.notes.push(format!("it cannot be applied again: {}", words(&error)));
                        return self.rebuild().await;
                    }
                }
            };
            if !done {
                self.applied.push(position);
                return self.settle().await;
            }
        }
        self.applied.push(position);
        if good { Ok(()) } else { self.renew().await }
    }

    /// Drops `test`, and the roles that were not there `before`, so that an up that makes them can run again.
    async fn forget_roles(&mut self, before: &BTreeSet<String>) -> Result<(), RoundtripError> {
        if let Some(test) = self.test.take() {
            self.bench.remove(test).await?;
        }
        let Some(clean) = self.clean.as_mut() else { return Ok(()) };
        let quoted = |role: &String| Name::new(role).quoted(Dialect::Postgres);
        let dropped = self.roles.difference(before).map(|role| format!("DROP ROLE {}", quoted(role)));
        let made = before.difference(&self.roles).map(|role| format!("CREATE ROLE {}", quoted(role)));
        for sql in dropped.chain(made) {
            if let Err(error) = clean.session().run(&sql).await {
                tracing::debug!("{sql}: {error}");
            }
        }
        Ok(())
    }

    /// Makes `test` anew: a copy of `clean`, or from the start.
    async fn renew(&mut self) -> Result<(), RoundtripError> {
        if let Some(test) = self.test.take() {
            self.bench.remove(test).await?;
        }
        let Some(clean) = self.clean.take() else { return self.rebuild().await };
        let (clean, copy) = self.bench.copy(clean).await?;
        (self.clean, self.test) = (Some(clean), Some(copy));
        self.roles = roles(self.test()).await;
        self.look().await
    }

    /// Makes both anew, from the start. What cannot be applied a second time is left out from here on.
    async fn rebuild(&mut self) -> Result<(), RoundtripError> {
        for applier in [self.test.take(), self.clean.take()].into_iter().flatten() {
            self.bench.remove(applier).await?;
        }
        let ups: Vec<&Ready<'_>> = self.applied.iter().map(|position| &self.migrations[*position]).collect();
        let test = self.bench.rebuilt(&ups).await?;
        self.test = Some(test);
        if self.bench.place.can_copy() {
            let test = self.test.take().expect("it was made just now");
            let (test, copy) = self.bench.copy(test).await?;
            (self.test, self.clean) = (Some(test), Some(copy));
        }
        self.roles = roles(self.test()).await;
        self.look().await
    }

    /// Puts rows into the empty tables of `test`.
    async fn fill(&mut self) {
        let mut test = self.test.take().expect("it is only away while it is renewed");
        self.bench.fill(&mut test).await;
        self.test = Some(test);
    }

    /// The same behind an up, whose catalog is known: the objects that the rows' triggers have made.
    async fn fill_and_look(&mut self) -> Result<Vec<ObjectKey>, RoundtripError> {
        let before = self.catalog.clone();
        self.fill().await;
        self.look().await?;
        Ok(self.catalog.objects.keys().filter(|key| !before.objects.contains_key(key)).cloned().collect())
    }

    /// Reads what `test` holds.
    async fn look(&mut self) -> Result<(), RoundtripError> {
        let mut test = self.test.take().expect("it is only away while it is renewed");
        let (catalog, rows) = (self.bench.catalog(&mut test).await, self.bench.rows(&mut test).await);
        self.test = Some(test);
        (self.catalog, self.rows) = (catalog?, rows);
        Ok(())
    }

    pub(super) fn test(&mut self) -> &mut Applier {
        self.test.as_mut().expect("it is only away while it is renewed")
    }
}

/// Whether the session cannot be used any more.
fn is_broken(error: &ApplyError) -> bool {
    error.server().is_some_and(|error| error.class == DbErrorClass::ConnectionLost)
}

/// The server's roles, where it has some that a migration may make.
async fn roles(applier: &mut Applier) -> BTreeSet<String> {
    if applier.url().dialect() != Dialect::Postgres {
        return BTreeSet::new();
    }
    let rows = applier.session().query("SELECT rolname FROM pg_catalog.pg_roles").await.unwrap_or_default();
    rows.iter().map(|row| row.text(0).to_owned()).collect()
}
