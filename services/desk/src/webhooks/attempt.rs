//! What became of an attempt, and whether there is another.

use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use regions::{Answered, Held, SendError};

/// How often at most what the server could take later is sent: in all, the first time too.
const BUSY_ATTEMPTS_MAX: i32 = 4;
/// How often at most, where nobody answers.
const SILENT_ATTEMPTS_MAX: i32 = 6;
/// The longest time that a server may ask to wait.
const RETRY_AFTER_MAX_S: i64 = 60;
/// How long to wait after the first attempt; twice as long after each.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// An attempt that ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// As the API calls it.
    pub(super) status: &'static str,
    pub(super) status_code: Option<u16>,
    pub(super) detail: Option<String>,
    pub(super) policy_version: u32,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    /// As its signature says it; nothing, if it was not sent.
    pub(super) sent_at: Option<Timestamp>,
    pub(super) at: Timestamp,
    /// Whether the same may be taken later, and how long to wait at least.
    retry: Retry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retry {
    Never,
    Busy(Option<SignedDuration>),
    Silent,
}

impl Ended {
    /// After an answer, or none.
    pub(super) fn of(result: Result<Answered, SendError>, (policy_version, at): (u32, Timestamp)) -> Self {
        match result {
            Ok(answered) => {
                let is_taken = (200..300).contains(&answered.status);
                let retry = match answered.status {
                    409 => Retry::Busy(None),
                    429 | 503 => busy(&answered.headers),
                    _ => Retry::Never,
                };
                Self {
                    status: if is_taken { "success" } else { "failed" },
                    status_code: Some(answered.status),
                    detail: None,
                    policy_version,
                    headers: answered.headers,
                    body: answered.body,
                    sent_at: None,
                    at,
                    retry,
                }
            }
            Err(error) => {
                let retry = match error {
                    // As where nobody answers, in this too: what a name leads to is not said.
                    SendError::Held(Held::Name) | SendError::Timeout | SendError::Unreachable(_) => Retry::Silent,
                    SendError::Held(_) => Retry::Never,
                };
                Self { retry, ..Self::not_sent("failed", &error.to_string(), (policy_version, at)) }
            }
        }
    }

    /// Nothing was sent, and nothing will be.
    pub(super) fn not_sent(status: &'static str, detail: &str, (policy_version, at): (u32, Timestamp)) -> Self {
        let (headers, body) = (HeaderMap::new(), String::new());
        let detail = Some(detail.to_owned());
        Self {
            status,
            status_code: None,
            detail,
            policy_version,
            headers,
            body,
            sent_at: None,
            at,
            retry: Retry::Never,
        }
    }

    /// The same, sent at a moment.
    pub(super) fn sent_at(self, at: Timestamp) -> Self {
        Self { sent_at: Some(at), ..self }
    }

    /// When the next attempt may begin, if there is one after the `number`th.
    pub(super) fn next(&self, number: i32) -> Option<Timestamp> {
        let doubled = FIRST_PAUSE * 2_i32.saturating_pow(number.saturating_sub(1).clamp(0, 8).unsigned_abs());
        match self.retry {
            Retry::Never => None,
            Retry::Busy(wait) if number < BUSY_ATTEMPTS_MAX => Some(self.at + wait.unwrap_or(doubled)),
            Retry::Silent if number < SILENT_ATTEMPTS_MAX => Some(self.at + doubled),
            Retry::Busy(_) | Retry::Silent => None,
        }
    }
}

/// A server that asks for more than a minute is not asked again.
fn busy(headers: &HeaderMap) -> Retry {
    let asked = headers.get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse::<i64>().ok());
    match asked {
        Some(seconds) if (0..=RETRY_AFTER_MAX_S).contains(&seconds) => {
            Retry::Busy(Some(SignedDuration::from_secs(seconds.max(1))))
        }
        Some(_) => Retry::Never,
        None => Retry::Busy(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(status: u16, retry_after: Option<&str>) -> Ended {
        let headers =
            retry_after.map(|value| ("retry-after".parse().expect("a name"), value.parse().expect("a value")));
        let answered = Answered { status, headers: headers.into_iter().collect(), body: String::new() };
        Ended::of(Ok(answered), (7, Timestamp::UNIX_EPOCH))
    }

    fn pauses(ended: &Ended) -> Vec<i64> {
        (1..).map_while(|number| ended.next(number)).map(Timestamp::as_second).collect()
    }

    #[test]
    fn what_the_server_could_take_later_is_sent_again_a_few_times() {
        assert_eq!(pauses(&after(409, None)), [5, 10, 20]);
        assert_eq!(pauses(&after(429, None)), [5, 10, 20]);
        assert_eq!(pauses(&after(503, Some("30"))), [30, 30, 30]);
        assert_eq!(pauses(&Ended::of(Err(SendError::Timeout), (7, Timestamp::UNIX_EPOCH))), [5, 10, 20, 40, 80]);
    }

    #[test]
    fn what_it_will_never_take_is_sent_once() {
        for status in [200, 204, 301, 307, 400, 401, 404, 410, 500, 502] {
            assert!(pauses(&after(status, Some("1"))).is_empty(), "{status}");
        }
        assert!(pauses(&after(429, Some("61"))).is_empty(), "longer than a minute");
        let held = |held| Ended::of(Err(SendError::Held(held)), (7, Timestamp::UNIX_EPOCH));
        assert!(pauses(&held(Held::Url)).is_empty());
        assert_eq!(pauses(&held(Held::Name)).len(), 5, "as where nobody answers");
    }
}
