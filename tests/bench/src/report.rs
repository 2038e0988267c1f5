//! Figures: medians of turns with their spread, a table, a file.

use std::{fs, path::PathBuf};

use comfy_table::{Table, presets};
use serde::Serialize;

use crate::{machine, turns::median};

/// What is to be reached.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach {
    /// More is better.
    AtLeast(f64),
    /// Less is better.
    AtMost(f64),
}

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    /// What the other side is.
    pub(crate) against: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) reach: Reach,
}

/// One figure as the file has it.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    ratio: f64,
    reach: f64,
    /// Whether the ratio is to be at most `reach`; else at least.
    is_less_better: bool,
    is_reached: bool,
    ours: f64,
    against: f64,
    unit: &'static str,
    against_what: &'static str,
    ratio_spread: [f64; 2],
    ours_spread: [f64; 2],
    against_spread: [f64; 2],
    rounds: usize,
    load_average: f64,
    machine: String,
}

/// All figures of a run.
pub(crate) struct Report {
    machine: String,
    rows: Vec<Row>,
    left_out: Vec<(String, String)>,
}

impl Reach {
    const fn value(self) -> f64 {
        match self {
            Self::AtLeast(value) | Self::AtMost(value) => value,
        }
    }

    fn is_reached_by(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(value) => ratio >= value,
            Self::AtMost(value) => ratio <= value,
        }
    }
}

impl Report {
    pub(crate) const fn new(machine: String) -> Self {
        Self { machine, rows: Vec::new(), left_out: Vec::new() }
    }

    /// Adds a figure from what was measured in turns: ours, then the other's.
    pub(crate) fn add(&mut self, figure: Figure, pairs: &[(f64, f64)]) {
        let of = |number: fn(&(f64, f64)) -> f64| -> Vec<f64> { pairs.iter().map(number).collect() };
        let ratios = of(|(ours, against)| ours / against);
        let (ours, against) = (of(|(ours, _)| *ours), of(|(_, against)| *against));
        let spread = |values: &[f64]| {
            let (least, most) = (f64::INFINITY, f64::NEG_INFINITY);
            values.iter().fold([least, most], |[least, most], value| [least.min(*value), most.max(*value)])
        };
        let ratio = median(ratios.clone());
        let row = Row {
            name: figure.name,
            ratio,
            reach: figure.reach.value(),
            is_less_better: matches!(figure.reach, Reach::AtMost(_)),
            is_reached: figure.reach.is_reached_by(ratio),
            ours: median(ours.clone()),
            against: median(against.clone()),
            unit: figure.unit,
            against_what: figure.against,
            ratio_spread: spread(&ratios),
            ours_spread: spread(&ours),
            against_spread: spread(&against),
            rounds: pairs.len(),
            load_average: machine::load_average(),
            machine: self.machine.clone(),
        };
        eprintln!("  {} {:.3} (reach {})", row.name, row.ratio, row.reach);
        self.rows.push(row);
    }

    /// Fails unless exactly these were measured; nothing may be missing but what was left out.
    pub(crate) fn ensure_holds(&self, figures: &[&str]) -> anyhow::Result<()> {
        let measured: Vec<_> = self.rows.iter().map(|row| row.name).collect();
        let unlisted: Vec<_> = measured.iter().filter(|name| !figures.contains(name)).copied().collect();
        anyhow::ensure!(unlisted.is_empty(), "no list has {}", unlisted.join(", "));
        let missing: Vec<_> = figures.iter().filter(|name| !measured.contains(name)).copied().collect();
        let is_whole = missing.is_empty() || !self.left_out.is_empty();
        anyhow::ensure!(is_whole, "nobody measured {}", missing.join(", "));
        Ok(())
    }

    /// What this machine cannot measure, and why.
    pub(crate) fn leave_out(&mut self, name: impl Into<String>, reason: impl Into<String>) {
        let (name, reason) = (name.into(), reason.into());
        eprintln!("  left out: {name}: {reason}");
        self.left_out.push((name, reason));
    }

    pub(crate) fn print(&self) {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["name", "ratio", "spread", "reach", "ours", "against", "unit", ""]);
        for row in &self.rows {
            let [least, most] = row.ratio_spread;
            table.add_row([
                row.name.to_owned(),
                format!("{:.3}", row.ratio),
                format!("{least:.2} .. {most:.2}"),
                format!("{} {}", if row.is_less_better { "<=" } else { ">=" }, row.reach),
                format!("{:.1}", row.ours),
                format!("{:.1}", row.against),
                format!("{}, {}", row.unit, row.against_what),
                if row.is_reached { "" } else { "not reached" }.to_owned(),
            ]);
        }
        println!("{table}\n{}; medians of turns", self.machine);
        for (name, reason) in &self.left_out {
            println!("left out: {name}: {reason}");
        }
    }

    pub(crate) fn write(&self) -> anyhow::Result<()> {
        let folder = machine::build_output().join("bench");
        fs::create_dir_all(&folder)?;
        let file: PathBuf = folder.join("results.json");
        fs::write(&file, serde_json::to_vec_pretty(&self.rows)?)?;
        println!("written to {}", file.display());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_the_median_of_its_turns_and_says_whether_it_is_reached() {
        let mut report = Report::new("a machine".to_owned());
        let figure = |reach| Figure { name: "figure", against: "peer", unit: "1/s", reach };
        let pairs = [(2.0, 1.0), (6.0, 2.0), (4.0, 4.0)];
        report.add(figure(Reach::AtLeast(2.0)), &pairs);
        report.add(figure(Reach::AtMost(1.9)), &pairs);
        let [first, second] = report.rows.as_slice() else { panic!("two figures") };
        assert_eq!((first.ratio, first.ours, first.against, first.ratio_spread), (2.0, 4.0, 2.0, [1.0, 3.0]));
        assert!(first.is_reached && !second.is_reached);
    }

    #[test]
    fn a_figure_that_no_list_has_and_one_that_nobody_measured_are_told() -> anyhow::Result<()> {
        let mut report = Report::new("a machine".to_owned());
        let figure = Figure { name: "listed", against: "peer", unit: "1/s", reach: Reach::AtLeast(1.0) };
        report.add(figure, &[(1.0, 1.0)]);
        report.ensure_holds(&["listed"])?;
        let told = |figures: &[&str]| report.ensure_holds(figures).expect_err("they differ").to_string();
        assert_eq!(told(&[]), "no list has listed");
        assert_eq!(told(&["listed", "forgotten"]), "nobody measured forgotten");
        report.leave_out("forgotten", "the machine has none");
        report.ensure_holds(&["listed", "forgotten"])
    }
}
