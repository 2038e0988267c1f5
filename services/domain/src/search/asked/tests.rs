use proptest::prelude::*;

use super::*;

fn asking() -> Asking {
    Asking { person: PersonId::new(7), now: "2026-11-23T12:00:00Z".parse().expect("a moment") }
}

fn read(query: &str) -> Asked {
    Asked::read(query, &asking()).expect("it makes sense")
}

fn tests(query: &str) -> Vec<(bool, Vec<Test>)> {
    read(query).clauses.into_iter().map(|clause| (clause.is, clause.any_of)).collect()
}

fn one(query: &str) -> Test {
    let mut tests = tests(query);
    assert_eq!(tests.len(), 1, "{query}");
    tests.remove(0).1.remove(0)
}

fn at(text: &str) -> Option<Timestamp> {
    Some(text.parse().expect("a moment"))
}

#[test]
fn words_compare_by_their_order() {
    let status = |words: &[&'static str]| Test::Word(Worded::Status, words.to_vec());
    assert_eq!(one("status<solved"), status(&["new", "open", "pending", "hold"]));
    assert_eq!(one("status>=Solved"), status(&["solved", "closed"]));
    assert_eq!(one("priority>normal"), Test::Word(Worded::Priority, vec!["high", "urgent"]));
    assert_eq!(one("priority:none"), Test::NoWord(Worded::Priority));
    assert_eq!(one("via:mail"), Test::Word(Worded::Channel, vec!["email"]));
}

#[test]
fn the_same_property_twice_is_either_and_bounds_and_negations_are_all() {
    assert_eq!(tests("tags:a tags:b tags:\"c d\"").len(), 1);
    assert_eq!(tests("status:open kettle status:new")[0].1.len(), 2);
    assert_eq!(tests("-tags:a -tags:b").iter().filter(|(is, _)| !is).count(), 2);
    assert_eq!(tests("created>2026-01-01 created<2026-02-01").len(), 2);
    assert_eq!(one("tags:\"a b\""), Test::Tags(vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn times_are_days_moments_and_how_long_ago() {
    let when = |query: &str| match one(query) {
        Test::When(_, from, to) => (from, to),
        other => panic!("{other:?}"),
    };
    assert_eq!(when("created:2026-11-22"), (at("2026-11-22T00:00:00Z"), at("2026-11-23T00:00:00Z")));
    assert_eq!(when("created>2026-11-22"), (at("2026-11-23T00:00:00Z"), None));
    assert_eq!(when("created<=2026-02"), (None, at("2026-03-01T00:00:00Z")));
    assert_eq!(when("updated<2026"), (None, at("2026-01-01T00:00:00Z")));
    assert_eq!(when("created>=2026-11-22t10:00:00+02:00"), (at("2026-11-22T08:00:00Z"), None));
    assert_eq!(when("created>4hours"), (at("2026-11-23T08:00:00Z"), None));
    assert_eq!(when("created<\"1 month\""), (None, at("2026-10-23T12:00:00Z")));
}

#[test]
fn people_are_named_by_id_address_name_or_as_oneself() {
    let whom = |query: &str| match one(query) {
        Test::Person(_, whom) => whom,
        other => panic!("{other:?}"),
    };
    assert_eq!(whom("assignee:me"), Whom::Known(7));
    assert_eq!(whom("assignee:none"), Whom::Nobody);
    assert_eq!(whom("requester:12"), Whom::Known(12));
    assert_eq!(whom("cc:Ada@Acme.example"), Whom::Address("ada@acme.example".to_owned()));
    assert!(matches!(whom("submitter:\"Ada Lovelace\""), Whom::Named(_)));
}

#[test]
fn what_a_kind_has_not_got_leaves_it_out() {
    let finds = |query: &str| Kind::ALL.into_iter().filter(|kind| read(query).finds(*kind)).collect::<Vec<_>>();
    assert_eq!(finds("kettle"), Kind::ALL);
    assert_eq!(finds("status:open"), [Kind::Ticket]);
    assert_eq!(finds("-status:open"), [Kind::Ticket]);
    assert_eq!(finds("type:user type:group kettle"), [Kind::User, Kind::Group]);
    assert_eq!(finds("-type:ticket"), [Kind::User, Kind::Organization, Kind::Group]);
    assert_eq!(finds("-type:ticket type:user"), [Kind::User]);
    assert_eq!(finds("type:user -type:ticket"), [Kind::User]);
    assert_eq!(finds("-type:user type:user"), []);
    assert_eq!(finds("type:group status:open"), []);
    assert_eq!(finds("type:incident"), [Kind::Ticket]);
    assert_eq!(finds("notes:kettle"), [Kind::User, Kind::Organization]);
    assert_eq!(finds("created>2026-01-01"), Kind::ALL);
}

#[test]
fn a_number_is_a_word_and_perhaps_a_tickets() {
    assert!(matches!(&tests("42")[0].1[..], [Test::Text(Place::Anywhere, _), Test::Number(42)]));
    assert!(matches!(&tests("4242")[0].1[..], [.., Test::Number(4242), Test::Address(_)]));
    assert!(matches!(&tests("\"42\"")[0].1[..], [Test::Text(..)]));
    assert!(tests("-- …").is_empty(), "what holds no word asks nothing");
}

#[test]
fn the_order_may_be_part_of_the_query() {
    let asked = read("order_by:created sort:asc kettle");
    assert_eq!((asked.order_by, asked.sort_order), (Some(OrderBy::Created), Some(SortOrder::Ascending)));
    assert_eq!(asked.clauses.len(), 1);
}

#[test]
fn what_makes_no_sense_is_refused_by_its_term() {
    for (query, term) in [
        ("status:warm", "status:warm"),
        ("kettle created:yesterday", "created:yesterday"),
        ("-type:article", "-type:article"),
        ("tags<a", "tags<a"),
        ("solved>2026-01-01", "solved>2026-01-01"),
        ("created>9999999999999years", "created>9999999999999years"),
        ("created:2026-13-01", "created:2026-13-01"),
        ("created:0000", "created:0000"),
        ("created>9000years", "created>9000years"),
        ("created<-005000-01-01T00:00:00Z", "created<-005000-01-01T00:00:00Z"),
        ("id:x", "id:x"),
        ("subject:!!", "subject:!!"),
    ] {
        assert_eq!(Asked::read(query, &asking()).expect_err(query).term, term);
    }
    assert!(Asked::read(&"a ".repeat(51), &asking()).is_err());
    assert!(Asked::read(&"a".repeat(2001), &asking()).is_err());
}

proptest! {
    #[test]
    fn nothing_that_is_typed_panics(query in r#"(type:|status[:<>]|created(:|<=|>)|tags:|assignee:|custom_field_|id:|["\-*:]|[0-9]{1,20}|hours|-?\PC){0,12}"#) {
        let _ = Asked::read(&query, &asking());
    }
}
