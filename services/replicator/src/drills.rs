//! Reports of restore drills in the region's bucket: signed, named after their time and written once, as backups are.

use archive::{DrillReport, Object, checkpoint, layout};

use crate::{
    backup::{new_id, publish},
    deps::ReplicatorDeps,
    error::Error,
};

/// Names a report, signs it and writes it. Answers with the report as it was written.
///
/// # Errors
/// If the bucket or the signing keys refuse.
pub async fn publish_drill(deps: &ReplicatorDeps, report: DrillReport) -> Result<DrillReport, Error> {
    let signer = deps.ring()?.signer_of_region();
    let report = DrillReport { drill_id: new_id(deps), verifier: signer.verifier().to_string(), ..report };
    publish(deps, Object { key: layout::drill(&report.drill_id), bytes: report.sign(&signer) }).await?;
    Ok(report)
}

/// The ids of the region's drills, oldest first.
///
/// # Errors
/// If the bucket does not answer.
pub async fn drills(deps: &ReplicatorDeps) -> Result<Vec<String>, Error> {
    let listed = deps.bucket.list(layout::DRILLS).await.map_err(Error::Bucket)?;
    let mut ids: Vec<_> = listed.iter().filter_map(|object| layout::drill_id(&object.key)).map(str::to_owned).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// The report of a drill.
///
/// # Errors
/// If there is none of that id, the bucket does not answer, or it is not signed by the region's key, or for another drill.
pub async fn show_drill(deps: &ReplicatorDeps, drill_id: &str) -> Result<DrillReport, Error> {
    let object = layout::drill(drill_id);
    let found = deps.bucket.get(&object).await.map_err(Error::Bucket)?;
    let found = found.ok_or_else(|| Error::NoSuchDrill { drill_id: drill_id.to_owned() })?;
    let opened = deps.ring()?.chain().drill(&checkpoint::region_name(&deps.region.id), &found.body);
    let report = opened.map_err(|source| Error::NotOurs { object: object.clone(), source })?;
    if report.drill_id == drill_id && report.region == deps.region.id {
        return Ok(report);
    }
    Err(Error::AnotherDrill { object, drill_id: report.drill_id, region: report.region })
}
