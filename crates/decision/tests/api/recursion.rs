//! Functions of a model that call themselves.

use decision::{
    Model, dmn, json,
    model::{Conclusion, Options},
};

fn model(text: &str) -> Model {
    let beside = |name: &str| Err(format!("there is no file {name}"));
    Model::from_yaml(text, &beside).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn conclude(model: &Model, decision: &str, facts: &str) -> Conclusion {
    let facts = json::parse(facts).unwrap();
    let found = model.evaluate(decision, &facts, &Options::dmn());
    found.unwrap()
}

fn result(model: &Model, decision: &str, facts: &str) -> String {
    json::write(&conclude(model, decision, facts).value.unwrap())
}

/// Orders are loaded one by one onto the first lorry that still has room, as a planner does.
const LOADING: &str = "kind: DecisionModel
name: loading
types:
  Order: {type: context, components: {number: string, pallets: number, lorry: string}}
  Orders: {type: list, of: Order}
  Lorry: {type: context, components: {name: string, room: number}}
  Lorries: {type: list, of: Lorry}
inputs:
  orders: {type: Orders}
  lorries: {type: Lorries}
functions:
  load:
    parameters: {waiting: Orders, loaded: Orders, fleet: Lorries}
    type: Orders
    context:
      - {name: next, type: Order, expression: 'waiting[1]'}
      - name: left
        function:
          parameters: {on: Lorry, orders so far: Orders}
          expression: 'on.room - sum(append(orders so far[lorry = on.name].pallets, 0))'
      - {name: best, type: Lorry, expression: 'fleet[left(item, loaded) >= next.pallets][1]'}
      - name: placed
        type: Order
        context:
          - {name: number, type: string, expression: next.number}
          - {name: pallets, type: number, expression: next.pallets}
          - {name: lorry, type: string, expression: best.name}
      - expression: 'if count(waiting) > 1 then load(remove(waiting, 1), append(loaded, placed), fleet) else append(loaded, placed)'
decisions:
  plan:
    type: Orders
    expression: 'load(orders, [], lorries)'
  lorries in use:
    expression: 'distinct values(plan[lorry != null].lorry)'
";

#[test]
fn a_function_may_call_itself() {
    let loading = model(LOADING);
    let facts = r#"{"orders": [{"number": "1", "pallets": 6}, {"number": "2", "pallets": 5},
        {"number": "3", "pallets": 4}, {"number": "4", "pallets": 30}],
        "lorries": [{"name": "red", "room": 10}, {"name": "blue", "room": 8}]}"#;
    assert_eq!(
        result(&loading, "plan", facts),
        r#"[{"lorry":"red","number":"1","pallets":6},{"lorry":"blue","number":"2","pallets":5},{"lorry":"red","number":"3","pallets":4},{"lorry":null,"number":"4","pallets":30}]"#
    );
    assert_eq!(
        result(&loading, "lorries in use", facts),
        r#"["red","blue"]"#
    );
    // Thirty orders are thirty calls within each other.
    let order = |n| format!(r#"{{"number": "{n}", "pallets": 1}}"#);
    let orders: Vec<_> = (0..30).map(order).collect();
    let many = format!(
        r#"{{"orders": [{}], "lorries": [{{"name": "red", "room": 29}}]}}"#,
        orders.join(",")
    );
    let plan = result(&loading, "plan", &many);
    assert_eq!(plan.matches("\"red\"").count(), 29, "{plan}");

    // Both forms hold it, and neither requires a function to require itself.
    let beside = |name: &str| Err(format!("there is no file {name}"));
    let again = Model::from_yaml(&loading.to_yaml(), &beside).unwrap();
    assert_eq!(again.digest(), loading.digest());
    let written = dmn::write(&loading).unwrap();
    assert!(!written.contains("<knowledgeRequirement><requiredKnowledge href=\"#load"));
    assert_eq!(
        dmn::read(&written).unwrap().model.digest(),
        loading.digest()
    );
}

#[test]
fn so_may_a_function_in_a_context() {
    let model = model(
        "kind: DecisionModel
name: m
inputs: {n: number}
decisions:
  steps:
    context:
      - name: down
        function: {parameters: {k: number}, expression: 'if k <= 0 then 0 else 1 + down(k - 1)'}
      - expression: down(n)
",
    );
    assert_eq!(result(&model, "steps", r#"{"n": 7}"#), "7");
}

#[test]
fn recursion_ends() {
    let model = model(
        "kind: DecisionModel
name: m
inputs: {n: number}
functions:
  power:
    parameters: {k: number}
    expression: 'if k = 0 then 1 else 2 * power(k - 1)'
  ever:
    parameters: {k: number}
    context:
      - name: deeper
        conditional: {if: 'k >= 0', then: {list: ['ever(k + 1)']}, else: 'null'}
      - expression: deeper
  twice:
    parameters: {k: number}
    expression: 'if k = 0 then 1 else twice(k - 1) + twice(k - 1)'
  boxed:
    parameters: {k: number}
    list:
      - relation: {columns: [c], rows: [[{context: [{conditional: {if: 'true', then: {invocation: {function: boxed, with: {k: k}}}, else: 'k'}}]}]]}
decisions:
  a: {expression: power(n)}
  b: {expression: ever(n)}
  c: {expression: twice(n)}
  d: {expression: boxed(n)}
",
    );
    assert_eq!(result(&model, "a", r#"{"n": 40}"#), "1099511627776");
    for (decision, n) in [("a", 10_000), ("b", 1), ("c", 40), ("d", 1)] {
        let found = conclude(&model, decision, &format!(r#"{{"n": {n}}}"#));
        let problems: Vec<_> = found.problems.iter().map(ToString::to_string).collect();
        assert!(
            problems
                .iter()
                .any(|problem| problem.contains("is allowed")),
            "{decision}: {problems:?}"
        );
    }
}
