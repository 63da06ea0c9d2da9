//! The schemas that a deploy goes through.

use super::matrix::Stage;
use crate::analysis::analyze;
use crate::schema::model::Schema;
use crate::source::{Folder, Kind};

/// A deploy: the schema that the running code knows, and the one behind each of its migrations.
#[derive(Debug, Clone)]
pub struct Deploy {
    /// The schema before its first migration.
    pub before: Schema,
    /// What there is after each.
    pub stages: Vec<Stage>,
}

impl Deploy {
    /// The schema that the new code knows.
    pub fn after(&self) -> &Schema {
        self.stages.last().map_or(&self.before, |stage| &stage.schema)
    }
}

/// The deploy of those of `folder`'s migrations whose numbers are `chosen` (in order); the earlier ones are its context,
/// from the schema `start` on.
pub fn deploy(folder: &Folder, chosen: &[usize], start: Schema) -> Deploy {
    let Some((first, last)) = chosen.first().zip(chosen.last()) else {
        return Deploy { before: start, stages: Vec::new() };
    };
    // A baseline stands for the migrations before it, which are all here.
    let replaced =
        |number: usize| folder.migrations[number].kind == Kind::Baseline && !chosen.contains(&number);
    let numbers: Vec<usize> = (0..=*last).filter(|number| !replaced(*number)).collect();
    let analysis = analyze(numbers.iter().map(|number| &folder.migrations[*number].up), start.clone());
    let mut steps = analysis.steps.iter().peekable();
    let mut schema = start;
    let mut deploy = Deploy { before: schema.clone(), stages: Vec::new() };
    for (at, number) in numbers.iter().enumerate() {
        if *number == *first {
            deploy.before = schema.clone();
        }
        while let Some(step) = steps.next_if(|step| step.at.migration == at) {
            schema = step.after.clone();
        }
        if chosen.contains(number) {
            let label = folder.migrations[*number].up.path.clone();
            deploy.stages.push(Stage { label, schema: schema.clone() });
        }
    }
    deploy
}
