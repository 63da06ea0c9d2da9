//! Asking a scratch database what becomes of queries at each stage of a deploy.

use super::commands::roundtrip::ScratchArgs;
use super::context::Context;
use super::explain;
use super::lint::target::Target;
use super::printer::Report;
use super::roundtrip::{self, Preparation};
use crate::compat::verify::Answers;
use crate::roundtrip::stages;

/// What a server says to `queries` before the migrations that `target` has chosen, and after each of them.
pub async fn ask(
    context: &Context,
    scratch: &ScratchArgs,
    target: &Target,
    queries: &[String],
) -> Result<Answers, Report> {
    let wished = roundtrip::wish(context, scratch, Some(target.dialect))?;
    let preparation = Preparation { context, dialect: target.dialect };
    let options = preparation.scratch(scratch, &target.folder, &wished)?;
    let mut signal = context.signal.clone();
    let mut place = wished.open(context, &options.connect).await?;
    let answers = tokio::select! {
        biased;
        () = signal.raised() => None,
        answers = stages::ask(&mut place, &target.folder, &target.chosen, queries, &options) => Some(answers),
    };
    place.close().await;
    answers.ok_or_else(explain::interrupted)?.map_err(|error| roundtrip::broken(&error))
}
