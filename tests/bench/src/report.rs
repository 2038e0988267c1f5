//! Ratios: medians of pairs, a table, a file.

use std::{fs, path::PathBuf};

use comfy_table::{Table, presets};
use serde::Serialize;

/// Rounds of each pair; the median is what is reported.
pub(crate) const ROUNDS: usize = 5;

#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    ratio: f64,
    reach: f64,
    ours: f64,
    against: f64,
    unit: &'static str,
    machine: String,
}

/// What is compared.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// What the ratio should be: at least, or at most where less is better.
    pub(crate) reach: f64,
    pub(crate) is_less_better: bool,
}

/// All ratios of a run.
pub(crate) struct Report {
    machine: String,
    rows: Vec<(Row, bool)>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { machine: machine(), rows: Vec::new() }
    }

    /// Adds a figure from pairs that were measured in turns: ours, then the other's.
    pub(crate) fn add(&mut self, figure: Figure, pairs: &[(f64, f64)]) {
        let median = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let row = Row {
            name: figure.name,
            ratio: median(pairs.iter().map(|(ours, against)| ours / against).collect()),
            reach: figure.reach,
            ours: median(pairs.iter().map(|(ours, _)| *ours).collect()),
            against: median(pairs.iter().map(|(_, against)| *against).collect()),
            unit: figure.unit,
            machine: self.machine.clone(),
        };
        self.rows.push((row, figure.is_less_better));
    }

    pub(crate) fn print(&self) {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["name", "ratio", "reach", "ours", "against", "unit", ""]);
        for (row, is_less_better) in &self.rows {
            let is_reached = if *is_less_better { row.ratio <= row.reach } else { row.ratio >= row.reach };
            table.add_row([
                row.name.to_owned(),
                format!("{:.2}", row.ratio),
                format!("{} {}", if *is_less_better { "<=" } else { ">=" }, row.reach),
                format!("{:.1}", row.ours),
                format!("{:.1}", row.against),
                row.unit.to_owned(),
                if is_reached { "" } else { "not reached" }.to_owned(),
            ]);
        }
        println!("{table}\n{}; medians of {ROUNDS} pairs", self.machine);
    }

    pub(crate) fn write(&self) -> anyhow::Result<()> {
        let folder = build_output().join("bench");
        fs::create_dir_all(&folder)?;
        let rows: Vec<&Row> = self.rows.iter().map(|(row, _)| row).collect();
        let file = folder.join("results.json");
        fs::write(&file, serde_json::to_vec_pretty(&rows)?)?;
        println!("written to {}", file.display());
        Ok(())
    }
}

/// The folder that holds `release/`, in which this program lies.
fn build_output() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

fn machine() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        processor.lines().find_map(|line| line.strip_prefix("model name")).and_then(|line| line.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of {}", model.unwrap_or("an unnamed processor"))
}
