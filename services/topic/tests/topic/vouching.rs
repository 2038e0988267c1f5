//! The log vouches for what it holds, and for nothing else.

use schemas::{Position, Recorded, Sealed};

use crate::given::World;

#[tokio::test]
async fn the_log_vouches_for_its_events_and_for_no_others() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (acme, twin) = (world.tenant("acme", 2).await?, world.tenant("twin", 2).await?);
    let (mut connection, log) = (world.connection().await?, world.log(&acme).await?);
    assert!(topic::vouched(&mut connection, &acme, &log).await?);
    assert!(topic::vouched(&mut connection, &acme, &log[2..]).await?);
    assert!(!topic::vouched(&mut connection, &acme, &log[..3]).await?, "half a command");
    assert!(!topic::vouched(&mut connection, &twin, &log).await?, "another tenant's, at the same positions");

    let forged = |change: fn(&mut Recorded)| {
        let mut log = log.clone();
        change(&mut log[1]);
        log
    };
    let payload = forged(|event| event.sealed = Sealed::new(event.sealed.envelope.clone(), b"other".to_vec()));
    let moved = forged(|event| event.position = Position::new(1));
    let beyond = forged(|event| event.position = Position::new(5));
    let another = forged(|event| {
        let mut envelope = event.sealed.envelope.clone();
        envelope.actor = schemas::Actor::Person(schemas::PersonId::new(666));
        event.sealed = Sealed::new(envelope, event.sealed.payload.clone());
    });
    for (what, events) in [("payload", payload), ("moved", moved), ("beyond", beyond), ("envelope", another)] {
        assert!(!topic::vouched(&mut connection, &acme, &events).await?, "{what}");
    }
    Ok(())
}
