//! Ids of comments, audits and their entries, which clients know as numbers: all made from positions.

use super::Position;

/// How many ids shown to clients belong to one position.
const CHILDREN: i64 = 64;
/// The child that names the audit whose first event has the position.
const AUDIT_CHILD: u8 = 63;

impl Position {
    /// An id for something that the event at this position brought about, shown to clients as a number.
    ///
    /// Such ids need no allocation, are the same in every rebuild, and grow with the log. `ordinal` is 0 to 63.
    ///
    /// # Panics
    /// When the ordinal is above 63: ordinals are counted by code, never sent by clients.
    pub const fn child(self, ordinal: u8) -> i64 {
        assert!((ordinal as i64) < CHILDREN, "a position has 64 children");
        self.get() * CHILDREN + ordinal as i64
    }
}

/// The id of the comment that the event at `position` added: child 0.
pub const fn comment_id(position: Position) -> i64 {
    position.child(0)
}

/// The id of the audit whose first event on the ticket is at `position`: child 63, which no other kind uses.
pub const fn audit_id(position: Position) -> i64 {
    position.child(AUDIT_CHILD)
}

/// The id of an entry of an audit: the `ordinal`th that the event at `position` is shown as, from 0 to 62.
///
/// A comment is shown as one entry, whose id is therefore the comment's: clients rely on that.
///
/// # Panics
/// When the ordinal is above 62: an event has far fewer fields.
pub const fn audit_event_id(position: Position, ordinal: u8) -> i64 {
    assert!(ordinal < AUDIT_CHILD, "the last child names the audit");
    position.child(ordinal)
}

/// The position an id shown to clients was made from; `None` for a number that no id has.
pub const fn position_of_child(id: i64) -> Option<Position> {
    // Position 0 is before the first event, so nothing comes from it.
    if id < CHILDREN { None } else { Some(Position::new(id / CHILDREN)) }
}

/// The position of the comment with this id, if a comment can have it.
pub const fn position_of_comment(id: i64) -> Option<Position> {
    if id % CHILDREN == 0 { position_of_child(id) } else { None }
}

/// The position of the first event of the audit with this id, if an audit can have it.
pub const fn position_of_audit(id: i64) -> Option<Position> {
    if id % CHILDREN == AUDIT_CHILD as i64 { position_of_child(id) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_shown_to_clients_leads_back_to_its_position_and_kind() {
        for position in [1, 2, 63, 64, 65, 1 << 40].map(Position::new) {
            assert_eq!(position_of_comment(comment_id(position)), Some(position));
            assert_eq!(position_of_audit(audit_id(position)), Some(position));
            assert_eq!(position_of_comment(audit_id(position)), None);
            assert_eq!(position_of_audit(comment_id(position)), None);
            for ordinal in 0..63 {
                let id = audit_event_id(position, ordinal);
                assert_eq!(position_of_child(id), Some(position));
                assert_ne!(id, audit_id(position), "an entry is never taken for an audit");
            }
        }
        for none in [i64::MIN, -64, -1, 0, 1, 63] {
            assert_eq!(position_of_child(none), None);
            assert_eq!(position_of_comment(none), None);
            assert_eq!(position_of_audit(none), None);
        }
    }

    #[test]
    fn ids_of_different_positions_differ() {
        assert!(audit_id(Position::new(7)) < comment_id(Position::new(8)));
        assert_eq!(
            audit_event_id(Position::new(7), 0),
            comment_id(Position::new(7)),
            "a comment's entry is the comment"
        );
    }

    #[test]
    #[should_panic(expected = "the last child names the audit")]
    fn an_entry_cannot_take_the_id_of_its_audit() {
        audit_event_id(Position::new(1), 63);
    }
}
