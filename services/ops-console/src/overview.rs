//! `GET /ops`: whether the region is well, and how its marks and lag were in the last day.

use askama::Template;
use axum::{Router, extract::State, routing::get};
use desk::foundation::{ApiResult, Frame, Words};
use eventlog::Totals;
use jiff::Timestamp;

use crate::{
    chart::Chart,
    health::{self, Finding},
    samples::{Sample, waits},
    signed::{Signed, unkept},
    state::Console,
};

/// How many points a line has at most.
const POINTS_MAX: usize = 360;
/// How many rows the table beside it has.
const ROWS_MAX: usize = 24;

/// `/ops`.
pub(crate) fn routes() -> Router<Console> {
    Router::new().route("/ops", get(show))
}

#[derive(Template)]
#[template(path = "ops/overview.html")]
struct OverviewPage<'a> {
    frame: &'a Frame,
    signed: &'a Signed,
    region: &'a str,
    here: &'static str,
    seen: (Timestamp, String),
    health: Vec<Finding>,
    tenants: Option<String>,
    /// Nothing, before the first look.
    charts: Vec<Shown>,
}

/// A chart and the table beside it.
struct Shown {
    id: &'static str,
    title: String,
    from: String,
    to: String,
    least: String,
    most: String,
    chart: Chart,
    /// Each line's newest value, in words.
    lasts: Vec<String>,
    rows: Vec<(Timestamp, String, Vec<String>)>,
}

type Read = fn(&Sample) -> i64;

async fn show(State(console): State<Console>, signed: Signed) -> ApiResult {
    let words = &signed.frame.words;
    let samples = console.samples().spread(POINTS_MAX);
    let marks: [(&str, Read); 4] = [
        ("residency-acked", |sample| sample.totals.acked),
        ("residency-sealed", |sample| sample.totals.sealed),
        ("residency-archived", |sample| sample.totals.archived),
        ("residency-verified", |sample| sample.totals.verified),
    ];
    let lags: [(&str, Read); 3] = [
        ("residency-sealed", |sample| waits(sample, sample.totals.unsealed_since)),
        ("residency-archived", |sample| waits(sample, sample.totals.unarchived_since)),
        ("residency-verified", |sample| waits(sample, sample.totals.unverified_since)),
    ];
    let charts = [
        shown(words, &samples, (("marks", "ops-chart-marks"), false, &marks)),
        shown(words, &samples, (("lag", "ops-chart-lag"), true, &lags)),
    ];
    let now = console.desk.clock.now();
    let page = OverviewPage {
        frame: &signed.frame,
        signed: &signed,
        region: console.desk.region.id.as_str(),
        here: "/ops",
        seen: (now, words.moment(now)),
        health: health::look(&console, words).await,
        tenants: samples.last().map(|Sample { totals: Totals { tenants, .. }, .. }| words.number(*tenants)),
        charts: charts.into_iter().flatten().collect(),
    };
    Ok(unkept(signed.frame.page(&page)?))
}

/// A chart of samples, if there are any; its table has fewer rows than it has points.
fn shown(
    words: &Words,
    samples: &[Sample],
    ((id, title), from_zero, lines): ((&'static str, &str), bool, &[(&str, Read)]),
) -> Option<Shown> {
    let (first, last) = (samples.first()?, samples.last()?);
    let times: Vec<_> = samples.iter().map(|sample| sample.at).collect();
    let drawn = lines.iter().map(|(name, read)| (words.say(name).to_string(), samples.iter().map(read).collect()));
    let chart = Chart::draw(&times, from_zero, drawn.collect());
    let step = samples.len().div_ceil(ROWS_MAX);
    let rows = samples.iter().rev().step_by(step).map(|sample| {
        let values = lines.iter().map(|(_, read)| words.number(read(sample)));
        (sample.at, words.moment(sample.at), values.collect())
    });
    Some(Shown {
        id,
        title: words.say(title).to_string(),
        from: words.moment(first.at),
        to: words.moment(last.at),
        least: words.number(chart.least),
        most: words.number(chart.most),
        lasts: chart.lines.iter().map(|line| words.number(line.last)).collect(),
        rows: rows.collect(),
        chart,
    })
}
