//! Tables as sea-orm has them. Times are microseconds since 1970; JSON and decimals are
//! text, since SQLite would read them through binary floats.

/// Activations.
pub(super) mod revision {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "revision")]
    pub struct Model {
        /// Counts activations, from 1.
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i64,
        /// Over the digests of all that is in force.
        pub digest: String,
        /// When it came into force.
        pub activate_time: i64,
    }
    service_kit::no_relations!();
}

/// Versions of scope trees, workflows and policies. A row never changes but for its end.
pub(super) mod document {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "document")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        /// Counted from 1.
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i64,
        /// File it came from.
        pub path: String,
        /// YAML.
        pub text: String,
        /// JSON object of files beside it, by name.
        pub attachments: String,
        /// Revision it came into force with.
        pub first_revision: i64,
        /// Revision it went out of force with; null: in force.
        pub end_revision: Option<i64>,
        pub activate_time: i64,
    }
    service_kit::no_relations!();
}

/// Changes.
pub(super) mod change {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "change")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub state: String,
        /// Counts its states.
        pub version: i64,
        /// When it is to come into force.
        pub activate_time: Option<i64>,
        /// JSON.
        pub body: String,
        /// Of who proposed it with a request id.
        pub asker_key: Option<String>,
        pub request_id: Option<Uuid>,
        /// Over what was asked for.
        pub digest: Option<String>,
    }
    service_kit::no_relations!();
}

/// Recorded decisions.
pub(super) mod decision {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "decision")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub workflow: String,
        pub scope: String,
        pub correlation_id: String,
        pub effect: String,
        pub revision: i64,
        pub decide_time: i64,
        /// JSON of who asked.
        pub asker: String,
        /// JSON of the question.
        pub question: String,
        /// JSON of the answer.
        pub answer: String,
    }
    service_kit::no_relations!();
}

/// Decisions that used a waiver.
pub(super) mod waiver_use {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "waiver_use")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub waiver: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub decision: Uuid,
        pub decide_time: i64,
    }
    service_kit::no_relations!();
}

/// Request ids that were answered.
pub(super) mod answered {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "answered")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub asker_key: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub request_id: Uuid,
        /// The decision that answered it.
        pub decision: Uuid,
        /// Digest of the question.
        pub digest: String,
        pub answer_time: i64,
        /// Whether the decision is kept for retries only.
        pub for_retries: bool,
    }
    service_kit::no_relations!();
}

/// The last receipt of each action.
pub(super) mod receipt {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "receipt")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub action: String,
        /// Digest of what was authorized.
        pub digest: String,
        /// `jti`.
        pub id: Uuid,
        pub jws: String,
        pub audience: String,
        pub expire_time: i64,
        /// JSON of the answer it rests on.
        pub answer: String,
    }
    service_kit::no_relations!();
}

/// The receipt that stands, or last stood, for an operation on a document.
pub(super) mod standing {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "standing_receipt")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub audience: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub document: String,
        /// Empty: the document as a whole.
        #[sea_orm(primary_key, auto_increment = false)]
        pub line: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub operation: String,
        pub action: String,
        /// `jti`.
        pub receipt: Uuid,
        pub expire_time: i64,
        /// Until when it stands in the way of others.
        pub stand_until: i64,
    }
    service_kit::no_relations!();
}

/// Counts of decisions.
pub(super) mod count {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "decision_count")]
    pub struct Model {
        /// UTC, such as `2026-11-24`.
        #[sea_orm(primary_key, auto_increment = false)]
        pub day: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub workflow: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub effect: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub revision: i64,
        pub decisions: i64,
    }
    service_kit::no_relations!();
}
