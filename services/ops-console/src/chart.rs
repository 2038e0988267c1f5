//! A line chart, drawn on the server: lines in a box of fixed size that the page stretches. What it shows stands beside it as a table.

use jiff::Timestamp;

/// The box.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 120.0;

/// A chart of one to four lines over the same time.
pub(crate) struct Chart {
    /// The lines.
    pub(crate) lines: Vec<Line>,
    /// The value at the upper edge; the lower one is the least value.
    pub(crate) most: i64,
    /// The value at the lower edge.
    pub(crate) least: i64,
}

/// One line.
pub(crate) struct Line {
    /// What it is called.
    pub(crate) name: String,
    /// How it is drawn, apart from its colour: a class of the style sheet.
    pub(crate) class: &'static str,
    /// Its points, as SVG writes them.
    pub(crate) points: String,
    /// Where it ends.
    pub(crate) last: i64,
}

const CLASSES: [&str; 4] = ["line-1", "line-2", "line-3", "line-4"];

impl Chart {
    /// Draws lines by their names. All have a value at each of the times.
    pub(crate) fn draw(times: &[Timestamp], from_zero: bool, lines: Vec<(String, Vec<i64>)>) -> Self {
        let values = || lines.iter().flat_map(|(_, values)| values.iter().copied());
        let most = values().max().unwrap_or_default().max(1);
        let least = if from_zero { 0 } else { values().min().unwrap_or_default() };
        let span = most.saturating_sub(least).max(1) as f64;
        let (from, to) = (times.first(), times.last());
        let duration = from.zip(to).map_or(1.0, |(from, to)| to.duration_since(*from).as_secs_f64().max(1.0));
        let x = |time: &Timestamp| from.map_or(0.0, |from| time.duration_since(*from).as_secs_f64() / duration * WIDTH);
        let y = |value: i64| HEIGHT - value.saturating_sub(least) as f64 / span * HEIGHT;
        let drawn = lines.into_iter().zip(CLASSES).map(|((name, values), class)| {
            let points = times.iter().zip(&values).map(|(time, value)| format!("{:.1},{:.1}", x(time), y(*value)));
            let points = points.collect::<Vec<_>>().join(" ");
            Line { name, class, points, last: values.last().copied().unwrap_or_default() }
        });
        Self { lines: drawn.collect(), most, least }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn lines_fill_the_box_in_proportion_to_time_and_value() -> Result<(), jiff::Error> {
        let begun: Timestamp = "2026-11-22T10:00:00Z".parse()?;
        let times = [0, 10, 40].map(|seconds| begun + SignedDuration::from_secs(seconds));
        let lines = vec![("acked".to_owned(), vec![100, 150, 200]), ("sealed".to_owned(), vec![100, 100, 100])];
        let chart = Chart::draw(&times, false, lines);
        assert_eq!((chart.least, chart.most), (100, 200));
        assert_eq!(chart.lines[0].points, "0.0,120.0 150.0,60.0 600.0,0.0");
        assert_eq!(chart.lines[1].points, "0.0,120.0 150.0,120.0 600.0,120.0");
        assert_eq!(chart.lines.iter().map(|line| line.last).collect::<Vec<_>>(), [200, 100]);
        let zero = Chart::draw(&times, true, vec![("lag".to_owned(), vec![0, 0, 0])]);
        assert_eq!((zero.least, zero.most, zero.lines[0].points.as_str()), (0, 1, "0.0,120.0 150.0,120.0 600.0,120.0"));
        assert_eq!(Chart::draw(&[], true, vec![("none".to_owned(), vec![])]).lines[0].points, "");
        Ok(())
    }
}
