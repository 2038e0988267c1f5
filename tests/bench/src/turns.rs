//! A B A B: what is compared is measured in turns, so that a machine that gets slower gets slower for both.

/// Measures both sides in turns. The first turn warms up and does not count.
pub(crate) async fn turns<T>(
    rounds: usize,
    mut ours: impl AsyncFnMut() -> anyhow::Result<T>,
    mut against: impl AsyncFnMut() -> anyhow::Result<T>,
) -> anyhow::Result<Vec<(T, T)>> {
    let mut pairs = Vec::with_capacity(rounds);
    for turn in 0..=rounds {
        let pair = (ours().await?, against().await?);
        if turn > 0 {
            pairs.push(pair);
        }
    }
    Ok(pairs)
}

/// One number of each side of each turn.
pub(crate) fn each<T>(pairs: &[(T, T)], number: impl Fn(&T) -> f64) -> Vec<(f64, f64)> {
    pairs.iter().map(|(ours, against)| (number(ours), number(against))).collect()
}

/// The value below which this share of the sorted values lies.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    if sorted.is_empty() {
        return f64::NAN;
    }
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// The middle of some values.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_turn_does_not_count() -> anyhow::Result<()> {
        let (mut ours, mut theirs) = (0, 10);
        let count = async |number: &mut i32| {
            *number += 1;
            Ok(*number)
        };
        let pairs = turns(2, async || count(&mut ours).await, async || count(&mut theirs).await).await?;
        assert_eq!(pairs, [(2, 12), (3, 13)]);
        Ok(())
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!([0.5, 0.99, 1.0].map(|share| quantile(&sorted, share)), [50.0, 99.0, 100.0]);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    }
}
