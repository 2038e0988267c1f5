use proptest::prelude::*;

use super::*;

fn finds(sought: &str, text: &str) -> bool {
    Sought::of(sought, false).expect("a word").is_in(&Indexed::of(text))
}

fn finds_quoted(sought: &str, text: &str) -> bool {
    Sought::of(sought, true).expect("a word").is_in(&Indexed::of(text))
}

#[test]
fn case_accents_and_widths_make_no_difference() {
    for (sought, text) in [
        ("APP", "the app"),
        ("app", "The App."),
        ("cafe", "Café Müller"),
        ("café", "a CAFE"),
        ("ｐｒｉｎｔｅｒ", "printer"),
        ("ﬁle", "file"),
        ("smorrebrod", "Smørrebrød"),
        ("don't", "I dont know"),
        ("λόγος", "ΛΟΓΟΣ"),
        ("печать", "Печать"),
    ] {
        assert!(finds(sought, text), "{sought} in {text}");
    }
}

#[test]
fn a_word_finds_longer_ones_that_begin_with_it_and_none_that_end_with_it() {
    for text in ["top", "top tier", "Top Ten Trucking", "Tip-Top Mops", "Dessert Toppings, Inc"] {
        assert!(finds("top", text), "{text}");
    }
    for text in ["Desktop Solutions", "stopping"] {
        assert!(!finds("top", text), "{text}");
    }
    assert!(!finds("to", "top"), "two letters begin too many words");
    assert!(finds("to", "to the top"));
}

#[test]
fn german_words_are_found_in_their_other_forms_and_spellings() {
    for (sought, text) in [
        ("Häuser", "Das Haus ist rot"),
        ("Haus", "viele Häuser"),
        ("Rechnungen", "Ihre Rechnung vom Montag"),
        ("Drucker", "die Druckern"),
        ("München", "in Muenchen"),
        ("Muenchen", "in München"),
        ("Munchen", "in München"),
        ("Straße", "STRASSE"),
        ("strasse", "Hauptstraße Straße"),
        ("Überweisungen", "eine Ueberweisung"),
        ("gekaufte", "gekauften"),
    ] {
        assert!(finds(sought, text), "{sought} in {text}");
    }
    assert!(!finds("Rechnung", "Abrechnung"), "parts of compounds are not found");
}

#[test]
fn english_words_are_found_in_their_other_forms() {
    for (sought, text) in [
        ("printing", "the printer prints"),
        ("refunded", "I want a refund"),
        ("parties", "one party"),
        ("replies", "No reply yet"),
        ("customers'", "a customer"),
    ] {
        assert!(finds(sought, text), "{sought} in {text}");
    }
    assert!(!finds("printing", "the painter"));
}

#[test]
fn japanese_is_found_by_any_part_of_it() {
    let text = "東京都のプリンターが動かない。エラー42です";
    for sought in ["東京", "京都", "東京都", "都", "プリンター", "動かない", "ﾌﾟﾘﾝﾀｰ", "エラー42", "ない", "です", "す"]
    {
        assert!(finds(sought, text), "{sought}");
        assert!(finds_quoted(sought, text), "{sought}");
    }
    for sought in ["東都", "プリンタが", "京東", "大阪", "ハリンター", "エラー4です"] {
        assert!(!finds(sought, text), "{sought}");
    }
    assert!(finds("プリ", "プ リ プリ"), "neighbours");
    assert!(!finds("プリ", "プ リ"), "a space parts");
}

#[test]
fn a_phrase_is_found_in_its_order_and_nowhere_else() {
    assert!(finds_quoted("smoke from the kettle", "There is Smoke, from the kettle!"));
    assert!(!finds_quoted("kettle smoke", "smoke from the kettle"));
    assert!(!finds_quoted("smoke kettle", "smoke from the kettle"));
    assert!(!finds_quoted("kett", "the kettle"), "nothing longer");
    assert!(finds_quoted("kettle", "two kettles"), "stems are found in quotes, too");
    assert!(finds("ada@acme.example", "write to Ada@acme.example."));
    assert!(!finds("ada@acme.example", "acme has ada, for example"));
}

#[test]
fn other_scripts_are_words_too() {
    assert!(finds("한국어", "한국어를 배우다"));
    assert!(finds("שלום", "אמר שלום לכולם"));
    assert!(finds("नमस्ते", "आप को नमस्ते"));
}

#[test]
fn what_holds_no_word_finds_nothing() {
    for text in ["", " ", "--", "…!?", "\u{345}", "\u{200b}"] {
        assert_eq!(Sought::of(text, false), None, "{text:?}");
        assert!(Indexed::of(text).is_empty(), "{text:?}");
    }
}

#[test]
fn each_piece_of_the_longest_text_stays_within_what_postgres_takes() {
    let texts = [
        (0..65_536_u32).map(|number| format!("{number:x}ä ")).collect::<String>(),
        "漢".repeat(100_000),
        "a ".repeat(100_000),
        (0..20_000_u32).map(|number| format!("{number:x}{} ", "ä".repeat(40))).collect::<String>(),
    ];
    for text in texts {
        for piece in Indexed::of(&text) {
            let bytes: usize = piece.0.iter().map(|(form, places)| form.len() + 8 + 2 * places.len() + 4).sum();
            assert!(bytes < 1 << 20, "{bytes}");
            assert!(piece.0.values().all(|places| places.is_sorted() && places.len() <= 255));
            assert!(piece.0.values().flatten().all(|place| (1..=16_382).contains(place)));
        }
    }
}

#[test]
fn a_long_text_is_found_by_its_last_words_and_its_last_phrases() {
    let japanese: String = (0..3_000).map(|number| format!("第{number}章の東京です。")).collect();
    let numbers: String = (0..20_000_u32).map(|number| format!("{number} and ")).collect();
    for (sought, text) in
        [("京都のプリンター", japanese + "京都のプリンター"), ("the last kettle", numbers + "the last kettle")]
    {
        assert!(finds(sought, &text) && finds_quoted(sought, &text), "{sought}");
    }
}

#[test]
fn a_phrase_is_found_where_a_piece_ends_too() {
    let text: String = (0..40_000_u32).map(|number| format!("{number} ")).collect();
    let pieces = Indexed::of(&text);
    assert_eq!(pieces.len(), 3);
    for first in (0..39_949_u32).step_by(7).chain(16_300..16_400).chain(32_600..32_750) {
        let phrase: String = (first..first + 51).map(|number| format!("{number} ")).collect();
        assert!(Sought::of(&phrase, true).expect("a phrase").is_in(&pieces), "{first}");
    }
}

#[test]
fn a_lexeme_names_the_tenant_first() {
    let tenant = TenantId::new(uuid::Uuid::from_u128(0x0192_aaaa_bbbb_7ccc_8ddd_1234_5678_9abc));
    assert_eq!(lexeme(tenant, "kettle"), "56789abckettle");
}

proptest! {
    #[test]
    fn any_word_of_any_text_finds_the_text(text in "[ -~äöüßÄÖÜéийあがプー漢字한\\u{300}\\u{345}\\u{3099}İıſǅ'’]{0,40}") {
        for word in text.split_whitespace() {
            for is_quoted in [false, true] {
                if let Some(sought) = Sought::of(word, is_quoted) {
                    prop_assert!(sought.is_in(&Indexed::of(&text)), "{:?} in {:?}", word, text);
                }
            }
        }
    }

    #[test]
    fn any_text_finds_itself(text in "\\PC{0,60}") {
        if let Some(sought) = Sought::of(&text, true) {
            prop_assert!(sought.is_in(&Indexed::of(&text)));
        }
    }
}
