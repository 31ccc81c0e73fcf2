//! DMN files: read, evaluated, written.

use decision::{
    Model, Value, dmn, json,
    model::{Absent, Conclusion, Detail, Options},
};

const CREDIT: &str = include_str!("../dmn/credit-terms.dmn");

fn import(text: &str) -> Model {
    match dmn::read(text) {
        Ok(import) => import.model,
        Err(problems) => {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            panic!("{}", lines.join("\n"))
        }
    }
}

fn conclude(model: &Model, decision: &str, facts: &str, absent: Absent) -> Conclusion {
    let facts = json::parse(facts).unwrap();
    model
        .evaluate(
            decision,
            &facts,
            &Options::absent(absent).telling(Detail::Rows),
        )
        .unwrap()
}

pub(super) fn result(model: &Model, decision: &str, facts: &str) -> String {
    let conclusion = conclude(model, decision, facts, Absent::Null);
    let value = conclusion.value.unwrap_or_else(|| Value::from("UNKNOWN"));
    let problems: Vec<_> = conclusion
        .problems
        .iter()
        .map(ToString::to_string)
        .collect();
    format!("{}{}", json::write(&value), problems.join("; "))
}

#[test]
fn decisions_feed_each_other() {
    let model = import(CREDIT);
    let good = r#"{"Customer": {"name": "Meier", "rating": "A", "since": "2019-02-01", "open amount": 100}, "Order value": 2000}"#;
    assert_eq!(result(&model, "Risk", good), r#""low""#);
    assert_eq!(result(&model, "Discount", good), "0.02");
    assert_eq!(
        result(&model, "Terms", good),
        r#"{"Advance needed":false,"days":60}"#
    );
    assert_eq!(
        result(&model, "Letter", good),
        r#""Dear Meier, pay 1960 in 60 days (2% off)""#
    );
    let large = good.replace("2000}", "60000}");
    assert_eq!(
        result(&model, "Terms", &large),
        r#"{"Advance needed":true,"days":14}"#
    );
    let bad = good.replace("\"A\"", "\"C\"");
    assert_eq!(
        result(&model, "Terms", &bad),
        r#"{"Advance needed":true,"days":null}"#
    );
}

#[test]
fn round_trips_lose_nothing() {
    let model = import(CREDIT);
    let yaml = model.to_yaml();
    let again = Model::from_yaml(&yaml, &|_| Err(String::new()));
    let again = again.unwrap_or_else(|p| panic!("{p:?}\n{yaml}"));
    assert_eq!(again.canonical(), model.canonical(), "{yaml}");
    assert_eq!(again.to_yaml(), yaml);
    let xml = dmn::write(&again).unwrap();
    let back = import(&xml);
    assert_eq!(back.canonical(), model.canonical(), "{xml}");
    assert_eq!(back.to_yaml(), yaml);
}

const HITS: &str = include_str!("../dmn/hit-policies.dmn");
const TIMES: &str = include_str!("../dmn/times.dmn");

#[test]
fn every_hit_policy_answers_as_dmn_says() {
    let model = import(HITS);
    let at = |decision: &str, age: u32, tier: &str| {
        let facts = format!(r#"{{"Age": {age}, "Tier of customer": "{tier}"}}"#);
        result(&model, decision, &facts)
    };
    assert_eq!(at("Unique", 30, "gold"), r#""adult gold""#);
    assert_eq!(at("Unique", 30, "silver"), "null");
    assert_eq!(
        at("Unique", 65, "gold"),
        "nullUnique: rows u1, u3 match together and differ"
    );
    assert!(at("Unique", 30, "bronze").starts_with("nullUnique: input `Tier of customer` is"));
    assert_eq!(at("Any", 30, "gold"), "true");
    assert!(at("Any", 91, "gold").contains("rows a1, a2, a3 match together"));
    assert_eq!(
        at("Priority", 15, "gold"),
        r#"{"Rate/Year":1,"Status":"yes"}"#
    );
    assert_eq!(
        at("Priority", 40, "gold"),
        r#"{"Rate/Year":5,"Status":"no"}"#
    );
    assert_eq!(at("Output order", 40, "gold"), r#"["x","y","z"]"#);
    assert_eq!(
        at("Rule order", 40, "gold"),
        r#"[{"a":1,"b":"z"},{"a":2,"b":"x"}]"#
    );
    assert_eq!(at("Rule order", 5, "gold"), "[]");
    assert_eq!(at("Sum", 40, "gold"), "81.5");
    assert_eq!(at("Sum", 5, "gold"), "null");
    assert_eq!(at("Count", 40, "gold"), "2");
    assert_eq!(at("Count", 1, "gold"), "0");
    assert_eq!(at("Least", 75, "gold"), "2");
    assert_eq!(at("Least", 30, "gold"), "0");
    assert_eq!(at("All", 30, "gold"), r#"["gold of gold",30]"#);
}

#[test]
fn dates_lists_and_boxed_expressions_are_read() {
    let model = import(TIMES);
    let window = r#"{"from day": "2026-03-01", "at": "10:00:00", "seen": "2026-03-01T10:00:00", "grace": "P3D", "term": "P1Y"}"#;
    let late = |day: &str| {
        let facts = format!(r#"{{"Window": {window}, "Delivery day": "{day}"}}"#);
        result(&model, "Late", &facts)
    };
    assert_eq!(late("2026-03-01"), r#""on time""#);
    assert_eq!(late("2026-03-03"), r#""tolerated""#);
    assert_eq!(late("2026-03-05"), r#""late""#);
    assert_eq!(late("2026-02-05"), r#""early""#);
    let words = r#"{"Holiday names": ["Easter", "Sunday"], "Word": "Sunday"}"#;
    assert_eq!(
        result(&model, "Listed", words),
        r#"["Sunday is a holiday","Sunday is a weekend"]"#
    );
    assert_eq!(result(&model, "Choice", r#"{"Word": "A"}"#), r#"[2,"A"]"#);
    assert_eq!(result(&model, "Choice", "{}"), "null");
    assert_eq!(result(&model, "Steps", "{}"), "18");
    assert!(result(&model, "Nothing said", "{}").starts_with("nullNothing said: "));
    assert!(result(&model, "Bad sum", "{}").starts_with("nullBad sum: "));
}

#[test]
fn unknown_stays_apart_from_null() {
    let model = import(HITS);
    let of = |decision: &str, facts: &str| conclude(&model, decision, facts, Absent::Unknown);
    let open = of("Unique", r#"{"Age": 30}"#);
    assert_eq!(
        (open.value, open.unknown),
        (None, vec!["Tier of customer".to_owned()])
    );
    // Whatever the tier is.
    let minor = of("Unique", r#"{"Age": 3}"#);
    assert_eq!(
        (minor.value, minor.unknown),
        (Some(Value::from("minor")), vec![])
    );
    assert_eq!(of("Sum", r#"{"Age": null}"#).value, Some(Value::Null));
    let credit = import(CREDIT);
    let partial = r#"{"Customer": {"rating": "C"}, "Order value": 1}"#;
    let risk = conclude(&credit, "Risk", partial, Absent::Unknown);
    assert_eq!(risk.value, Some(Value::from("high")), "{:?}", risk.problems);
    let partial = partial
        .replace("\"C\"", "\"B\"")
        .replace("}, \"O", ", \"open amount\": 5}, \"O");
    let letter = conclude(&credit, "Letter", &partial, Absent::Unknown);
    assert_eq!(letter.value, None);
    assert!(
        letter.unknown.contains(&"Customer.name".to_owned()),
        "{:?}",
        letter.unknown
    );
}

#[test]
fn all_files_survive_the_round_trips() {
    for text in [CREDIT, HITS, TIMES] {
        let model = import(text);
        let yaml = model.to_yaml();
        let again = Model::from_yaml(&yaml, &|_| Err(String::new()));
        let again = again.unwrap_or_else(|p| panic!("{p:?}\n{yaml}"));
        assert_eq!(again.canonical(), model.canonical(), "{yaml}");
        assert_eq!(again.to_yaml(), yaml);
        let xml = dmn::write(&again).unwrap();
        let back = import(&xml);
        assert_eq!(back.digest(), model.digest(), "{xml}");
        assert_eq!(back.to_yaml(), yaml, "{xml}");
    }
}

/// What is refused of a file of these elements.
pub(super) fn refused(elements: &str) -> String {
    let text = format!(
        "<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" name=\"m\">\n{elements}\n</definitions>"
    );
    let problems = dmn::read(&text).unwrap_err();
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn what_cannot_be_carried_is_refused_with_its_place() {
    let decision = |logic: &str| format!("<decision id=\"d\" name=\"D\">\n{logic}\n</decision>");
    for (elements, wanted) in [
        (
            "<import namespace=\"x\"/>".to_owned(),
            "2:1: imports of other models",
        ),
        (
            "<decisionService name=\"s\"/>".to_owned(),
            "2:1: decision services",
        ),
        (decision("<filter/>"), "3:1: boxed `filter` isn't supported"),
        (
            decision(
                "<literalExpression expressionLanguage=\"java\"><text>1</text></literalExpression>",
            ),
            "3:1: expressions in `java`",
        ),
        (
            decision("<literalExpression><text>a &gt;= 1 or b</text></literalExpression>"),
            "3:26: `a` is no fact",
        ),
        (
            decision("<literalExpression><text>1 &gt;= 1 or b</text></literalExpression>"),
            "3:39: `b` is no fact",
        ),
        (
            decision(
                "<informationRequirement><requiredInput href=\"#x\"/></informationRequirement>",
            ),
            "3:25: `#x` is no input of this model",
        ),
        (
            "<inputData id=\"a\" name=\"A\"><variable name=\"A\" typeRef=\"tX\"/></inputData>"
                .to_owned(),
            "type `tX` is neither defined here nor built in",
        ),
        (
            decision(
                "<decisionTable><input><inputExpression><text>1</text></inputExpression></input><output/><rule><outputEntry><text>1</text></outputEntry></rule></decisionTable>",
            ),
            "found 0 input entries, expected 1",
        ),
    ] {
        let found = refused(&elements);
        assert!(found.contains(wanted), "{found}\n{elements}");
    }
    let ring = "<decision id=\"a\" name=\"A\"><informationRequirement><requiredDecision href=\"#b\"/></informationRequirement></decision>\n\
         <decision id=\"b\" name=\"B\"><informationRequirement><requiredDecision href=\"#a\"/></informationRequirement></decision>";
    assert!(
        refused(ring).contains("`A` requires itself: A -> B -> A"),
        "{}",
        refused(ring)
    );
}

#[test]
fn what_xml_cannot_hold_is_refused_by_name() {
    let yaml =
        "kind: DecisionModel\ndecisions:\n  D: {description: \"a\\x01b\", expression: '1'}\n";
    let model = Model::from_yaml(yaml, &|_| Err(String::new())).unwrap();
    let problems = dmn::write(&model).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "3:3: D: `description` holds U+0001, which XML can't"
    );
}

#[test]
fn types_called_as_built_in_ones_get_another_name() {
    let text = "<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" name=\"m\">\
        <itemDefinition name=\"money\"><typeRef>string</typeRef></itemDefinition>\
        <inputData id=\"i\" name=\"I\"><variable name=\"I\" typeRef=\"money\"/></inputData></definitions>";
    let import = dmn::read(text).unwrap();
    assert_eq!(
        import.model.inputs()[0].declared().ty(),
        &decision::Type::string()
    );
    assert!(
        import.notes[0]
            .message
            .contains("`money` is called `money type`"),
        "{:?}",
        import.notes
    );
    let yaml = "kind: DecisionModel\ntypes: {date: {type: string}}\ndecisions: {}\n";
    let refused = Model::from_yaml(yaml, &|_| Err(String::new())).unwrap_err();
    assert!(
        refused[0].message.contains("a type of its own already"),
        "{refused:?}"
    );
}

#[test]
fn a_second_constraint_on_values_is_refused() {
    let definition = |second: &str| {
        format!(
            "<itemDefinition name=\"T\"><typeRef>number</typeRef><allowedValues><text>[1..9]</text></allowedValues>\n\
             <typeConstraint><text>{second}</text></typeConstraint></itemDefinition>"
        )
    };
    assert_eq!(
        refused(&definition("> 2")),
        "3:1: found a second constraint on the values of a type, wanted one"
    );
    let same = definition("[1..9]");
    let text = format!(
        "<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" name=\"m\">{same}</definitions>"
    );
    assert!(import(&text).to_yaml().contains("[1..9]"));
}

#[test]
fn an_empty_list_in_a_cell_stays_one() {
    let text = TIMES.replace("]Window.from day..Window.from day + Window.grace]", "[]");
    let yaml = import(&text).to_yaml();
    let again = Model::from_yaml(&yaml, &|_| Err(String::new()));
    let again = again.unwrap_or_else(|problems| panic!("{problems:?}\n{yaml}"));
    assert_eq!(again.digest(), import(&text).digest());
}

#[test]
fn hostile_files_are_refused_soon() {
    let of = |text: &str| dmn::read(text).unwrap_err()[0].to_string();
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><definitions>&b;</definitions>";
    assert!(of(bomb).contains("document type"), "{}", of(bomb));
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    assert!(of(&deep).contains("nest too deeply"), "{}", of(&deep));
    assert!(of("<definitions/>").contains("in no namespace"));
    assert!(of("<definitions xmlns='x'/>").contains("no namespace of DMN"));
    assert!(of("<definitions").contains("malformed XML"));
    assert!(of("").contains("malformed XML"));
    // Types that use each other twice would grow to two to the power of sixty parts.
    let mut types =
        String::from("<itemDefinition name=\"t0\"><typeRef>number</typeRef></itemDefinition>");
    for n in 1..60 {
        let before = n - 1;
        types.push_str(&format!(
            "<itemDefinition name=\"t{n}\"><itemComponent name=\"a\"><typeRef>t{before}</typeRef></itemComponent>\
             <itemComponent name=\"b\"><typeRef>t{before}</typeRef></itemComponent></itemDefinition>"
        ));
    }
    assert!(
        refused(&types).contains("more than 10000 parts"),
        "{}",
        refused(&types)
    );
    let ring = "<itemDefinition name=\"a\"><typeRef>b</typeRef></itemDefinition><itemDefinition name=\"b\"><typeRef>a</typeRef></itemDefinition>";
    assert!(
        refused(ring).contains("in a ring: a -> b -> a"),
        "{}",
        refused(ring)
    );
    // Functions that call the one before twice would take two to the power of sixty calls.
    let mut functions = String::from(
        "<businessKnowledgeModel id=\"f0\" name=\"f0\"><encapsulatedLogic><formalParameter name=\"n\"/>\
         <literalExpression><text>n</text></literalExpression></encapsulatedLogic></businessKnowledgeModel>",
    );
    for n in 1..40 {
        let before = n - 1;
        functions.push_str(&format!(
            "<businessKnowledgeModel id=\"f{n}\" name=\"f{n}\"><encapsulatedLogic><formalParameter name=\"n\"/>\
             <literalExpression><text>f{before}(n) + f{before}(n)</text></literalExpression></encapsulatedLogic>\
             <knowledgeRequirement><requiredKnowledge href=\"#f{before}\"/></knowledgeRequirement></businessKnowledgeModel>"
        ));
    }
    let text = format!(
        "<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" name=\"m\">{functions}\
         <decision id=\"d\" name=\"D\"><knowledgeRequirement><requiredKnowledge href=\"#f39\"/></knowledgeRequirement>\
         <literalExpression><text>f39(1)</text></literalExpression></decision></definitions>"
    );
    let found = result(&import(&text), "D", "{}");
    assert!(found.contains("than is allowed"), "{found}");
}
