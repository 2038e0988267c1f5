//! A machine whose clock is behind that of the one which archived before it.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use jiff::{SignedDuration, Timestamp};
use regions::Resident;
use replicator::{ReadBack, archive_tenant, read_back};
use runtime::Clock;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::region::{Archiving, archiving};

/// What is warned of, line by line.
#[derive(Debug, Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// The lines since the last look.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no test panics with it"))
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.lock().expect("no test panics with it").push(line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}

/// Appends two events, archives them, and gives the time that the manifest of their generation bears.
async fn made_at(eu: &Archiving, tenant: &Resident, generation: u64) -> anyhow::Result<Timestamp> {
    eu.append(tenant, 1, (generation as i64 - 1) * 2, 2).await?;
    assert_eq!(archive_tenant(&eu.deps, tenant, None).await?.generation, generation);
    Ok(eu.manifest(tenant, generation).await?.created_at)
}

#[tokio::test]
async fn a_clock_that_is_behind_makes_no_manifest_older_than_the_one_before_it() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    let first = made_at(&eu, &acme, 1).await?;
    assert_eq!(first, eu.test.clock.now());
    eu.test.clock.advance(SignedDuration::from_hours(-2));
    assert_eq!(made_at(&eu, &acme, 2).await?, first);
    eu.test.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(made_at(&eu, &acme, 3).await?, first);
    eu.test.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(made_at(&eu, &acme, 4).await?, eu.test.clock.now(), "it has caught up");
    assert_eq!(eu.report(&acme).await?.findings, []);
    assert!(matches!(read_back(&eu.deps, &acme).await?, ReadBack::Verified(_)));
    Ok(())
}

#[tokio::test]
async fn a_clock_that_is_behind_is_told_of_once_until_it_has_caught_up() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    let warnings = Warnings::default();
    let _told = tracing::subscriber::set_default(warnings.clone());
    made_at(&eu, &acme, 1).await?;
    made_at(&eu, &acme, 2).await?;
    assert_eq!(warnings.take(), Vec::<String>::new(), "as ever, and within one moment");
    let mut generation = 2;
    for back in [7200, 60] {
        eu.test.clock.advance(SignedDuration::from_secs(-back));
        generation += 1;
        made_at(&eu, &acme, generation).await?;
        let told = warnings.take();
        let [line] = told.as_slice() else { panic!("{told:?}") };
        let behind = format!("behind_seconds={back}.0 ");
        let tenant = acme.tenant_id().to_string();
        assert!([behind.as_str(), &tenant, "clock is behind"].iter().all(|word| line.contains(word)), "{line}");
        generation += 1;
        made_at(&eu, &acme, generation).await?;
        assert_eq!(warnings.take(), Vec::<String>::new(), "it was told");
        eu.test.clock.advance(SignedDuration::from_secs(back + 1));
        generation += 1;
        made_at(&eu, &acme, generation).await?;
        assert_eq!(warnings.take(), Vec::<String>::new(), "it has caught up");
    }
    Ok(())
}
