//! Ids as clients of webhooks know them: 128 bits in 26 characters (ULID). Ours are made of numbers, so that they lead back to them.

use schemas::WebhookId;

/// Crockford's alphabet.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 26;

/// A webhook's.
pub(crate) fn of_webhook(webhook: WebhookId) -> String {
    text(u128::from(webhook.get().unsigned_abs()))
}

/// The webhook, if it can be one.
pub(crate) fn webhook(text: &str) -> Option<WebhookId> {
    i64::try_from(number(text)?).ok().filter(|id| *id > 0).map(WebhookId::new)
}

/// An invocation's: of which webhook, and which.
pub(crate) fn of_invocation(webhook: WebhookId, invocation: i64) -> String {
    text(u128::from(webhook.get().unsigned_abs()) << 64 | u128::from(invocation.unsigned_abs()))
}

/// The invocation of a webhook, if it can be one of its.
pub(crate) fn invocation(webhook: WebhookId, text: &str) -> Option<i64> {
    let number = number(text)?;
    let is_its = number >> 64 == u128::from(webhook.get().unsigned_abs());
    i64::try_from(number & u128::from(u64::MAX)).ok().filter(|_| is_its)
}

fn text(number: u128) -> String {
    let digit = |place: usize| char::from(DIGITS[usize::try_from(number >> (5 * place) & 31).unwrap_or_default()]);
    (0..LENGTH).rev().map(digit).collect()
}

fn number(text: &str) -> Option<u128> {
    if text.len() != LENGTH || text.as_bytes()[0] > b'7' {
        return None;
    }
    let digit = |byte: u8| DIGITS.iter().position(|digit| *digit == byte.to_ascii_uppercase());
    text.bytes().try_fold(0_u128, |number, byte| Some(number << 5 | u128::try_from(digit(byte)?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_and_one_of_another_webhook_does_not() {
        for id in [1, 7, 31, 32, 1 << 40, i64::MAX] {
            let shown = of_webhook(WebhookId::new(id));
            assert_eq!((shown.len(), webhook(&shown)), (26, Some(WebhookId::new(id))));
            let shown = of_invocation(WebhookId::new(id), 64 * 9);
            assert_eq!(invocation(WebhookId::new(id), &shown), Some(64 * 9));
            assert_eq!(invocation(WebhookId::new(5), &shown), None);
        }
        for none in
            ["", "1", "00000000000000000000000000", "80000000000000000000000000", "0000000000000000000000000U", "é"]
        {
            assert_eq!(webhook(none), None, "{none}");
        }
    }
}
