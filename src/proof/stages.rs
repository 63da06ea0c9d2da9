//! The stages of a deploy: with which rows it can be applied at all, what each part leaves, and what its statements hold.

use super::judge::Judge;
use super::locks;
use super::snapshot::Snapshot;
use super::stars::Stars;
use super::verdict::Point;
use super::world::{Refused, Rows, up, up_looked_at};
use crate::dialect::Dialect;
use crate::engine::{self, version::ServerVersion};
use crate::roundtrip::apply::Applier;
use crate::roundtrip::run::RoundtripError;
use crate::schema::catalog::diff::diff;
use crate::schema::model::Schema;
use std::collections::BTreeSet;

/// What was seen of the parts so far.
#[derive(Default)]
struct Seen {
    /// The rows before the deploy.
    filled: Snapshot,
    /// Statements that look at rows while others wait.
    blocking: Vec<String>,
    /// The statements that the server was asked about, by part and line.
    looked: BTreeSet<(usize, usize)>,
    /// What was not foreseen of prepared statements.
    stars: Vec<String>,
}

impl Judge<'_> {
    /// The most rows with which the deploy can be applied at all; `false` where there are none.
    pub(super) async fn choose_rows(&mut self) -> Result<bool, RoundtripError> {
        let mut why = None;
        for rows in [Rows::Sparse, Rows::Full, Rows::None] {
            self.world.begin(rows).await?;
            let mut applier = self.world.at(0).await?;
            let mut refused = None;
            for ready in self.world.parts {
                if let Err(Refused(words)) = up(&mut applier, ready).await {
                    refused = Some(format!("{} is refused: {words}", ready.label));
                    break;
                }
            }
            self.world.bench.remove(applier).await?;
            match refused {
                None => {
                    if let Some(why) = why {
                        let left = match rows {
                            Rows::Full => "rows without a NULL",
                            Rows::None | Rows::Sparse => "no rows",
                        };
                        self.note(format!("proved with {left}: with others {why}"));
                    }
                    return Ok(true);
                }
                Some(refused) => why = Some(refused),
            }
        }
        let why = why.into_iter().collect();
        self.held(Point::Works, "each step can be applied", why, String::new());
        Ok(false)
    }

    /// Applies one part after the other, and looks at what each does; `false` where one is refused.
    pub(super) async fn stages(&mut self) -> Result<bool, RoundtripError> {
        let mut seen = Seen::default();
        for number in 0..self.world.parts.len() {
            if !self.stage(number, &mut seen).await? {
                return Ok(false);
            }
        }
        for pair in self.catalogs.windows(2) {
            let changed = diff(&pair[0], &pair[1]);
            self.touched.extend(changed.objects.keys().map(|key| key.name.replace(['"', '`'], "")));
        }
        let dialect = self.world.bench.place.dialect();
        self.judge_locks(&seen, dialect);
        if engine::breaks_prepared_shapes(dialect) {
            let claim = "prepared `SELECT *` fails where it is foreseen, and nowhere else";
            self.held(Point::Works, claim, seen.stars, String::new());
        }
        Ok(true)
    }

    /// What was seen of locks, and what is known of those that cannot be seen.
    fn judge_locks(&mut self, seen: &Seen, dialect: Dialect) {
        let server = self.server.unwrap_or_else(|| ServerVersion::usual(dialect));
        let is_looked_into = |part: usize, line: usize| seen.looked.contains(&(part, line));
        let (earlier, parts) = (&self.deploy.earlier, &self.deploy.parts);
        let known = locks::known(earlier, parts, Schema::new(dialect), server, &is_looked_into);
        let mut why = seen.blocking.clone();
        if !engine::has_one_writer(dialect) {
            why.extend(known.into_iter().map(|waits| waits.line));
            let claim = "no statement looks at rows while reads or writes wait";
            return self.held(Point::Locks, claim, why, String::new());
        }
        let (read, written): (Vec<_>, Vec<_>) = known.into_iter().partition(|waits| waits.readers);
        for waits in written {
            self.note(format!("there is one writer for the whole file: {}", waits.line));
        }
        why.extend(read.into_iter().map(|waits| waits.line));
        self.held(Point::Locks, "no statement looks at rows while reads wait", why, String::new());
    }

    /// Applies a part, and keeps what it leaves to be copied.
    async fn stage(&mut self, number: usize, seen: &mut Seen) -> Result<bool, RoundtripError> {
        let ready = &self.world.parts[number];
        let mut applier = self.world.at(number).await?;
        if number == 0 {
            self.before(&mut applier, seen).await?;
        }
        let dialect = applier.url().dialect();
        let stars = if engine::breaks_prepared_shapes(dialect) {
            let tables = self.all_tables(&mut applier).await?;
            Some(Stars::prepare(self.world.client(&applier).await?, &tables).await)
        } else {
            None
        };
        let looks = match up_looked_at(&mut applier, ready, engine::held_query(dialect)).await {
            Ok(looks) => looks,
            Err(Refused(why)) => {
                self.held(Point::Works, format!("{} can be applied", ready.label), vec![why], String::new());
                self.world.bench.remove(applier).await?;
                return Ok(false);
            }
        };
        if let Some(stars) = stars {
            let (before, after) = self.schemas(number, dialect);
            let judged = stars.judge(&before, &after, &ready.label).await;
            seen.stars.extend(judged.wrong);
            if !judged.foreseen.is_empty() {
                let (tables, label) = (judged.foreseen.join(", "), &ready.label);
                self.note(format!(
                    "prepared statements that return all columns of {tables} fail once after {label}"
                ));
            }
        }
        let is_filled = |table: &str| seen.filled.holds(table);
        seen.blocking.extend(locks::measured(&looks, &ready.migration.up.path, &is_filled));
        if seen.filled.count() > 0 {
            seen.looked.extend(looks.iter().map(|look| (number, look.line)));
        }
        self.catalogs.push(self.world.bench.catalog(&mut applier).await?);
        self.world.keep(applier).await?;
        Ok(true)
    }

    /// What there is before the deploy.
    async fn before(&mut self, applier: &mut Applier, seen: &mut Seen) -> Result<(), RoundtripError> {
        self.catalogs.push(self.world.bench.catalog(applier).await?);
        seen.filled = Snapshot::take(applier.session()).await.map_err(RoundtripError::Database)?;
        self.version = applier.session().identity().await.map_err(RoundtripError::Database)?.version;
        Ok(())
    }

    /// What the model knows before and after a part.
    pub(super) fn schemas(&self, part: usize, dialect: Dialect) -> (Schema, Schema) {
        let scripts = |count: usize| {
            self.deploy.earlier.iter().chain(&self.deploy.parts[..count]).map(|migration| &migration.up)
        };
        let before = crate::analysis::analyze(scripts(part), Schema::new(dialect)).end;
        let after = crate::analysis::analyze(scripts(part + 1), Schema::new(dialect)).end;
        (before, after)
    }
}
