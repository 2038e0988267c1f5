//! `domicile audit witnesses`: what the other regions have seen of a tenant's log. Each is asked itself, so that a region cannot
//! speak for them.

use std::{collections::BTreeMap, future::ready};

use archive::{Checkpoint, checkpoint::region_name, cosignature, layout};
use auditor::{Consistency as Found, Log, Source, source};
use bytes::Bytes;
use clap::Args;
use desk::published_keys;
use directory::Map;
use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use jiff::Timestamp;
use replicator::Witness;
use reqwest::StatusCode;
use schemas::{Hash, RegionId};
use serde::{Deserialize, Serialize};

use super::{
    archive::{Archive, ArchiveOption, published},
    proof::refused,
};
use crate::{
    cli::{Place, TenantOption},
    deployment::Deployment,
    directory_option::GivenDirectory,
    exit::{Failure, Outcome},
    output::{Format, Row, print_list},
};

/// `domicile audit witnesses`.
#[derive(Debug, Args)]
pub struct Witnesses {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub tenant: TenantOption,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub directory: GivenDirectory,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What a region has seen of the log.
#[derive(Debug, Serialize)]
struct Seen {
    witness: RegionId,
    state: State,
    /// Events under the last tree head that it cosigned.
    size: Option<u64>,
    cosigned_at: Option<Timestamp>,
    /// Tree heads that it refused, with those they contradict.
    conflicts: Vec<Conflict>,
    /// Tree heads that it refused because somebody sent them with a wrong proof: this log has them all.
    proven: usize,
    why: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// What it has cosigned is the beginning of the log, or all of it.
    Vouches,
    /// It has cosigned nothing of the log.
    Nothing,
    /// It does not answer, or something that cannot be trusted.
    Silent,
    /// It has cosigned more than the log holds now.
    Shorter,
    /// It has cosigned another history.
    Fork,
}

/// Two tree heads of the log that contradict each other.
#[derive(Debug, Serialize, Deserialize)]
struct Conflict {
    ours: String,
    theirs: String,
    found_at: Timestamp,
}

impl Row for Seen {
    const HEADINGS: &'static [&'static str] = &["witness", "state", "events", "cosigned at", "conflicts", ""];

    fn cells(&self) -> Vec<String> {
        let state = match self.state {
            State::Vouches => "vouches",
            State::Nothing => "nothing yet",
            State::Silent => "silent",
            State::Shorter => "SHORTER",
            State::Fork => "FORK",
        };
        vec![
            self.witness.to_string(),
            state.to_owned(),
            self.size.map_or_else(String::new, |size| size.to_string()),
            self.cosigned_at.map_or_else(String::new, |at| at.to_string()),
            self.conflicts.len().to_string(),
            self.why.clone().unwrap_or_else(|| match self.proven {
                0 => String::new(),
                count => format!("{count} refused for a wrong proof, and proven here"),
            }),
        ]
    }
}

pub(super) async fn run(place: &Place, options: &Witnesses) -> Outcome {
    let deployment = Deployment::open_with(place, &options.directory)?;
    let (region, tenant) = (&options.tenant.region, &options.tenant.tenant);
    let mut seen = look(&deployment, options).await?;
    if seen.iter().any(Seen::contradicts) {
        // What was published and cosigned after the log was opened looks like a log that has become shorter. Not twice.
        seen = look(&deployment, options).await?;
    }
    print_list(&seen, options.format)?;
    let against: Vec<_> = seen.iter().filter(|seen| seen.contradicts()).map(|seen| seen.witness.as_str()).collect();
    if against.is_empty() {
        return Ok(());
    }
    Err(Failure::check(format!(
        "{region}/{tenant} is not what it was: {} has signed tree heads of another history",
        against.join(", ")
    )))
}

async fn look(deployment: &Deployment, options: &Witnesses) -> Result<Vec<Seen>, Failure> {
    let (region, tenant) = (&options.tenant.region, &options.tenant.tenant);
    let (archive, map) = (published(deployment, region, tenant, None).await?, deployment.directory_map().await?);
    let log = Log::open(&*archive.source, archive.verifier.as_ref()).await.map_err(refused)?;
    let witnesses = deployment.witnesses(region);
    let asked = witnesses.iter().map(|witness| ask(&log, &map, witness));
    Ok(join_all(asked).await)
}

impl Seen {
    fn contradicts(&self) -> bool {
        matches!(self.state, State::Fork | State::Shorter) || !self.conflicts.is_empty()
    }
}

async fn ask(log: &Log<'_>, map: &Map, witness: &Witness) -> Seen {
    let mut seen = Seen {
        witness: witness.region.clone(),
        state: State::Silent,
        size: None,
        cosigned_at: None,
        conflicts: Vec::new(),
        proven: 0,
        why: None,
    };
    if let Err(error) = fill(&mut seen, log, map, witness).await {
        seen.why = Some(format!("{error:#}"));
    }
    seen
}

async fn fill(seen: &mut Seen, log: &Log<'_>, map: &Map, witness: &Witness) -> anyhow::Result<()> {
    let answer = Answer::of(witness, &log.head().origin).await?;
    let Some(note) = answer.note else {
        seen.state = State::Nothing;
        return Ok(());
    };
    for conflict in answer.conflicts {
        let (ours, theirs) = (log.older(&conflict.ours)?, log.older(&conflict.theirs)?);
        match log.growth_between(&ours, &theirs).await? {
            Some(_) => seen.proven += 1,
            None => seen.conflicts.push(conflict),
        }
    }
    let name = region_name(&witness.region);
    let keys = published_keys(map, &witness.region);
    let keys = keys.ok_or_else(|| anyhow::anyhow!("the directory knows no key of {}", witness.region))?;
    let times = keys.verifiers(&name).rev().map(|key| cosignature::time(&note, &key));
    let time = times.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().next();
    seen.cosigned_at = Some(time.ok_or_else(|| anyhow::anyhow!("no key of {name} has cosigned what it answers"))?);
    let head: Checkpoint = log.older(&note)?;
    seen.size = Some(head.size);
    seen.state = match log.consistency(&head).await? {
        Found::Beginning(_) => State::Vouches,
        Found::Fork(_) => State::Fork,
        Found::Shorter => State::Shorter,
    };
    Ok(())
}

/// What a witness itself says of a log.
struct Answer {
    /// The last checkpoint that it has cosigned.
    note: Option<String>,
    /// What it has refused.
    conflicts: Vec<Conflict>,
}

impl Answer {
    async fn of(witness: &Witness, origin: &str) -> anyhow::Result<Self> {
        let origin = Hash::of(&[origin.as_bytes()]);
        let http = witness.client()?;
        let get = |what: &str| http.get(format!("{}/witness/{origin}/{what}", witness.url)).send();
        let last = get("checkpoint").await?;
        if last.status() == StatusCode::NOT_FOUND {
            return Ok(Self { note: None, conflicts: Vec::new() });
        }
        let note = Some(last.error_for_status()?.text().await?);
        Ok(Self { note, conflicts: get("conflicts").await?.error_for_status()?.json().await? })
    }
}

/// What all witnesses of an archive in a bucket say themselves, for a verification.
#[derive(Default)]
pub(super) struct Answers {
    cosigned: BTreeMap<String, Bytes>,
    /// Tree heads that were refused, each with who refused it.
    pub(super) refused: Vec<(String, String)>,
    /// Who did not answer, in words.
    pub(super) notes: Vec<String>,
}

impl Answers {
    /// Asks. Of a copied folder nobody is asked: it must verify without a network.
    pub(super) async fn about(place: &Place, option: &ArchiveOption, archive: &Archive) -> Result<Self, Failure> {
        let mut answers = Self::default();
        let (Some(region), Some(log)) = (&option.region, &archive.verifier) else { return Ok(answers) };
        let witnesses = Deployment::open(place)?.witnesses(region);
        let ask = async |witness: &Witness| (witness.region.clone(), Answer::of(witness, log.name()).await);
        for (region, answer) in join_all(witnesses.iter().map(ask)).await {
            match answer {
                Ok(answer) => {
                    let note = answer.note.map(|note| (layout::witness(&region), Bytes::from(note)));
                    answers.cosigned.extend(note);
                    let name = format!("a tree head that {} refused", region_name(&region));
                    answers.refused.extend(answer.conflicts.into_iter().map(|it| (name.clone(), it.theirs)));
                }
                Err(error) => answers.notes.push(format!("{region} does not say what it has cosigned: {error:#}")),
            }
        }
        Ok(answers)
    }

    /// The archive, in which each witness's own word stands in the place of what the region kept of it.
    pub(super) fn before(self, archive: Box<dyn Source>) -> impl Source {
        Before { cosigned: self.cosigned, archive }
    }
}

struct Before {
    cosigned: BTreeMap<String, Bytes>,
    archive: Box<dyn Source>,
}

impl Source for Before {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, source::Error>> {
        match self.cosigned.get(key) {
            Some(note) => ready(Ok(Some(note.clone()))).boxed(),
            None => self.archive.get(key),
        }
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, source::Error>> {
        async move { Ok(self.archive.list().await?.into_iter().chain(self.cosigned.keys().cloned()).collect()) }.boxed()
    }
}
