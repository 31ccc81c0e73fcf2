//! zen-engine: one table, compiled, in each of the two forms it takes: a block of a policy
//! and a node of a decision graph.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use decision::{Facts, Value};
use serde_json::{Value as Json, json};
use zen_engine::{
    DecisionEngine, EvaluationOptions, Variable, loader::MemoryLoader, model::DecisionContent,
};

use crate::{
    ROUND, ROUNDS,
    made::{AMOUNT, FLAG, KIND, Made, REGION, decimal},
    middle,
};

/// A form of the table, evaluated without or with trace.
#[derive(Clone, Copy)]
pub struct Way {
    pub name: &'static str,
    form: &'static str,
    trace: bool,
}

/// A policy looks rows up in its index with and without trace, a graph only without: with
/// trace it tries one row after the other.
pub const WAYS: [Way; 4] = [
    way("policy", POLICY, false),
    way("policy+t", POLICY, true),
    way("graph", GRAPH, false),
    way("graph+t", GRAPH, true),
];

const POLICY: &str = "policy";
const GRAPH: &str = "graph";

const fn way(name: &'static str, form: &'static str, trace: bool) -> Way {
    Way { name, form, trace }
}

pub struct Peer {
    engine: DecisionEngine,
    runtime: tokio::runtime::Runtime,
}

impl Peer {
    pub fn new(made: &Made) -> Self {
        let loader = Arc::new(MemoryLoader::default());
        for (form, document) in [(POLICY, policy(made)), (GRAPH, graph(made))] {
            let content: DecisionContent = serde_json::from_value(document).expect("document");
            loader.add(form, content);
        }
        let engine = DecisionEngine::default().with_loader(loader);
        let failures = engine.compile();
        assert!(failures.is_empty(), "{failures:?}");
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        Self {
            engine,
            runtime: runtime.expect("runtime"),
        }
    }

    /// The facts as zen-engine takes them; amounts as bare numbers.
    pub fn input(&self, facts: &Facts) -> Variable {
        let text = |name| facts.get(name).unwrap().as_str().unwrap();
        let amount = match facts.get(AMOUNT).unwrap() {
            Value::Money { amount, .. } => amount.to_string(),
            other => other.to_string(),
        };
        let amount: Json = serde_json::from_str(&amount).expect("number");
        json!({"order": {
            "region": text(REGION),
            "kind": text(KIND),
            "total": amount,
            "flag": facts.get(FLAG).unwrap().as_bool().unwrap(),
        }})
        .into()
    }

    fn run(&self, way: Way, input: Variable) -> Variable {
        let options = EvaluationOptions {
            trace: way.trace,
            ..EvaluationOptions::default()
        };
        let answer = self.engine.evaluate_with_opts(way.form, input, options);
        let answer = self.runtime.block_on(answer).expect("evaluates");
        assert_eq!(answer.trace.is_some(), way.trace);
        black_box(&answer.trace);
        answer.result
    }

    /// The row that answers.
    pub fn evaluate(&self, way: Way, input: &Variable) -> Option<usize> {
        let result: Json = self.run(way, input.deep_clone()).into();
        let id = result.pointer("/order/row")?.as_str()?;
        id.strip_prefix('r')?.parse().ok()
    }

    pub fn median(&self, way: Way, inputs: &[Variable]) -> f64 {
        let mut inputs = inputs.iter().cycle();
        let mut round = |_| {
            let (start, mut done, mut spent) = (Instant::now(), 0, Duration::ZERO);
            while done == 0 || start.elapsed() < ROUND {
                let input = inputs.next().expect("inputs").deep_clone();
                let begin = Instant::now();
                black_box(self.run(way, input));
                spent += begin.elapsed();
                done += 1;
            }
            spent.as_nanos() as f64 / f64::from(done)
        };
        middle((0..ROUNDS).map(&mut round).collect())
    }
}

fn policy(made: &Made) -> Json {
    let property = |name: &str, ty: &str| json!({"id": name, "name": name, "type": ty, "array": false, "optional": false});
    json!({"blocks": [
        {"id": "model", "type": "dataModel", "children": [], "props": {"data": {
            "name": "order",
            "properties": [
                property("region", "string"),
                property("kind", "string"),
                property("total", "number"),
                property("flag", "boolean"),
            ],
        }}},
        {"id": "table", "type": "decisionTable", "children": [], "props": {"data": table(made)}},
    ]})
}

fn graph(made: &Made) -> Json {
    let edge = |from: &str, to: &str| json!({"id": format!("{from}-{to}"), "type": "edge", "sourceId": from, "targetId": to});
    json!({
        "nodes": [
            {"id": "input", "name": "input", "type": "inputNode"},
            {"id": "table", "name": "table", "type": "decisionTableNode", "content": table(made)},
            {"id": "output", "name": "output", "type": "outputNode"},
        ],
        "edges": [edge("input", "table"), edge("table", "output")],
    })
}

/// The table itself, which both forms write alike.
fn table(made: &Made) -> Json {
    let input = |name: &str| json!({"id": name, "name": name, "field": format!("order.{name}")});
    let rules: Vec<Json> = made
        .rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let text = |text: &Option<String>| {
                text.as_ref()
                    .map_or_else(String::new, |t| format!("\"{t}\""))
            };
            let amount = row.amount.map_or_else(String::new, |(low, high)| {
                format!("({}..{}]", decimal(low), decimal(high))
            });
            json!({
                "_id": format!("r{at}"),
                "region": text(&row.region),
                "kind": text(&row.kind),
                "total": amount,
                "flag": row.flag.map_or_else(String::new, |flag| flag.to_string()),
                "row": format!("\"r{at}\""),
            })
        })
        .collect();
    json!({
        "hitPolicy": "first",
        "inputs": [input("region"), input("kind"), input("total"), input("flag")],
        "outputs": [{"id": "row", "name": "", "field": "order.row"}],
        "rules": rules,
    })
}
