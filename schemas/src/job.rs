//! Events of the streams `job-<job id>`: work on many things that one request asked for.
//!
//! Each item is done by a command of its own, which says so in the same append: an item is done once or not at all, whatever breaks.

use crate::{
    events,
    ids::{JobId, PersonId, TokenId},
    values::{JobKind, Means},
};

events! {
    /// What happens to a job.
    pub enum JobEvent {
        /// It was asked for. What exactly follows in the same command.
        "job_queued" @ 1 => JobQueued {
            /// The job.
            operational job: JobId,
            /// What is done to each item.
            operational kind: JobKind,
            /// How many items there are.
            operational total: u32,
            /// Who asked.
            operational by: PersonId,
            /// By what whoever asked came in.
            operational means: Means,
            /// The API token, if it was one.
            operational token: Option<TokenId>,
        },
        /// Some of the items, in order. Sealed under a key of the job's own, which is destroyed when it is finished: what the items say
        /// lies elsewhere then, and may be erased there.
        "job_described" @ 1 => JobDescribed {
            /// The place of the first of them, from 0.
            operational first: u32,
            /// Each as a JSON object.
            content items: Vec<String>,
            /// What is the same for every item, as a JSON object; with the first of them.
            content shared: Option<String>,
        },
        /// An item was done, or refused.
        "job_item_done" @ 1 => JobItemDone {
            /// Its place, from 0.
            operational index: u32,
            /// What it was done to, if that is known.
            operational item: Option<i64>,
            /// Why it was refused, in a word; nothing, if it was done.
            operational error: Option<String>,
            /// The same in a sentence.
            content details: Option<String>,
        },
        /// All items were done or refused.
        "job_finished" @ 1 => JobFinished {},
    }
}
