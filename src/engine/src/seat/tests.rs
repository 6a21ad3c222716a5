use super::{Name, NameError};

#[test]
fn names_are_short_and_printable() {
    for name in [
        "a",
        "Ännchen",
        "two words",
        "12345678901234567890123456789012",
    ] {
        assert_eq!(Name::new(name).as_ref().map(Name::as_str), Ok(name));
    }
    for text in [
        "",
        " a",
        "a ",
        "a\nb",
        "\u{7}",
        "123456789012345678901234567890123",
    ] {
        assert_eq!(Name::new(text), Err(NameError), "{text:?}");
    }
}
