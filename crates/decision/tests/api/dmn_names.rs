//! DMN files as other tools write them: what is called how, and what is declared where.

use decision::dmn;

use super::dmn::{refused, result};

fn file(elements: &str) -> String {
    format!(
        "<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" name=\"m\">{elements}</definitions>"
    )
}

const SEASON: &str = "<decision id=\"dish\" name=\"Dish\"><decisionTable hitPolicy=\"UNIQUE\">\
    <input id=\"i\"><inputExpression typeRef=\"string\"><text>season</text></inputExpression></input>\
    <output name=\"dish\" typeRef=\"string\"/>\
    <rule><inputEntry><text>\"Fall\"</text></inputEntry><outputEntry><text>\"Spareribs\"</text></outputEntry></rule>\
    <rule><inputEntry><text>-</text></inputEntry><outputEntry><text>\"Spareribs\"</text></outputEntry></rule>\
    </decisionTable></decision>";

#[test]
fn typed_names_that_no_input_data_declares_become_inputs() {
    let import = dmn::read(&file(SEASON)).unwrap();
    assert_eq!(import.model.inputs()[0].name(), "season");
    assert_eq!(
        import.notes[0].message,
        "`season` is no input data of the file; it becomes an input"
    );
    assert_eq!(
        result(&import.model, "Dish", r#"{"season": "Winter"}"#),
        r#""Spareribs""#
    );
    // Rows that agree aren't said to differ.
    assert_eq!(
        result(&import.model, "Dish", r#"{"season": "Fall"}"#),
        "nullDish: rows rule-1, rule-2 match together under UNIQUE"
    );
    let other = SEASON
        .replace("Dish", "Other")
        .replace("\"dish\"", "\"other\"")
        .replace(
            "typeRef=\"string\"><text>season",
            "typeRef=\"number\"><text>season",
        );
    assert!(
        refused(&format!("{SEASON}{other}"))
            .contains("`season` is `number` here, and `string` before")
    );
}

#[test]
fn expressions_use_the_names_of_variables() {
    let text = file(
        "<inputData id=\"i\" name=\"Season of year\"><variable name=\"season\" typeRef=\"string\"/></inputData>\
         <decision id=\"a\" name=\"Decide A\"><variable name=\"a\" typeRef=\"string\"/>\
         <informationRequirement><requiredInput href=\"#i\"/></informationRequirement>\
         <literalExpression><text>season + \"!\"</text></literalExpression></decision>\
         <decision id=\"b\" name=\"B\"><informationRequirement><requiredDecision href=\"#a\"/></informationRequirement>\
         <literalExpression><text>a + \"?\"</text></literalExpression></decision>",
    );
    let import = dmn::read(&text).unwrap();
    assert_eq!(
        result(&import.model, "B", r#"{"season": "Fall"}"#),
        r#""Fall!?""#
    );
    let notes: Vec<_> = import.notes.iter().map(|note| &*note.message).collect();
    assert_eq!(
        notes,
        [
            "input `Season of year` is called `season` here, as its variable is",
            "decision `Decide A` is called `a` here, as its variable is"
        ]
    );
}

#[test]
fn a_default_output_must_be_a_constant() {
    let text = SEASON.replace(
        "<output name=\"dish\" typeRef=\"string\"/>",
        "<output name=\"dish\" typeRef=\"string\"><defaultOutputEntry><text>season</text></defaultOutputEntry></output>",
    );
    assert!(
        refused(&text).contains("found an expression over facts, expected a constant"),
        "{}",
        refused(&text)
    );
}
