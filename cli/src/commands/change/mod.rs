//! `bylaw change`: what people do to what is governed.

mod args;
mod documents;
mod export;
pub(super) mod show;

use std::io::{self, IsTerminal as _, Write as _};

use contracts::policy::{
    ActivateChangeRequest, ApproveChangeRequest, BacktestChangeRequest, Change, ChangeItem,
    ChangeState, CheckChangeRequest, GetChangeRequest, ListChangesRequest, ListWaiversRequest,
    PlanChangeRequest, ProposeChangeRequest, RejectChangeRequest, RollBackChangeRequest,
    ScheduleChangeRequest, TestChangeRequest, UpdateChangeRequest, WithdrawChangeRequest,
};

pub use args::ChangeCommand;
use args::{Backtest, Edit, Files, Propose};

use super::input;
use crate::{
    args::{Common, Output},
    connect::{Session, Wants},
    failure::{Exit, Failure},
    output,
};

const COLLECTION: &str = "changes";

fn wants(command: &ChangeCommand) -> Wants {
    Wants::permission(match command {
        ChangeCommand::List { .. } | ChangeCommand::Show { .. } => "policy.change.read",
        ChangeCommand::Approve { .. } | ChangeCommand::Reject { .. } => "policy.change.approve",
        ChangeCommand::Schedule { .. }
        | ChangeCommand::Activate { .. }
        | ChangeCommand::Rollback { .. } => "policy.change.activate",
        ChangeCommand::Export { .. } | ChangeCommand::Waivers => "policy.policy.read",
        ChangeCommand::Plan(_)
        | ChangeCommand::Propose(_)
        | ChangeCommand::Edit(_)
        | ChangeCommand::Review { .. }
        | ChangeCommand::Withdraw { .. } => "policy.change.propose",
    })
}

pub async fn run(common: &Common, command: ChangeCommand) -> Result<(), Failure> {
    let session = Session::open(common, wants(&command)).await?;
    let mut client = session.changes();
    let etag = String::new();
    let name = |given: &str| input::name(COLLECTION, given);
    let changed = match command {
        ChangeCommand::Plan(files) => return plan(common, &session, &files).await,
        ChangeCommand::Propose(args) => return propose(common, &session, args).await,
        ChangeCommand::Edit(args) => return edit(common, &session, args).await,
        ChangeCommand::List { states, limit } => {
            return list(common, &session, &states, limit).await;
        }
        ChangeCommand::Waivers => return waivers(common, &session).await,
        ChangeCommand::Export { dir } => return export::run(common, &session, &dir).await,
        ChangeCommand::Review {
            name: given,
            backtest,
        } => {
            let change = get(&session, name(&given)).await?;
            return review(common, &session, change, backtest).await;
        }
        ChangeCommand::Show { name: given } => {
            let change = get(&session, name(&given)).await?;
            return show::change(common, &change, true);
        }
        ChangeCommand::Approve {
            name: given,
            digest,
            comment,
        } => {
            let change = get(&session, name(&given)).await?;
            // What is shown is what is approved: another state of it is refused.
            let (name, etag) = (change.name, change.etag);
            let digest = if digest.is_empty() {
                change.digest
            } else {
                digest
            };
            let request = ApproveChangeRequest {
                name,
                etag,
                digest,
                comment,
            };
            client.approve_change(request).await
        }
        ChangeCommand::Reject {
            name: given,
            reason,
        } => {
            let name = name(&given);
            client
                .reject_change(RejectChangeRequest { name, etag, reason })
                .await
        }
        ChangeCommand::Schedule { name: given } => {
            let name = name(&given);
            client
                .schedule_change(ScheduleChangeRequest { name, etag })
                .await
        }
        ChangeCommand::Activate { name: given } => {
            let name = name(&given);
            client
                .activate_change(ActivateChangeRequest { name, etag })
                .await
        }
        ChangeCommand::Withdraw { name: given } => {
            let name = name(&given);
            client
                .withdraw_change(WithdrawChangeRequest { name, etag })
                .await
        }
        ChangeCommand::Rollback {
            name: given,
            reason,
        } => {
            let name = name(&given);
            client
                .roll_back_change(RollBackChangeRequest { name, etag, reason })
                .await
        }
    };
    show::change(common, &changed?.into_inner(), false)
}

async fn get(session: &Session, name: String) -> Result<Change, Failure> {
    let found = session
        .changes()
        .get_change(GetChangeRequest { name })
        .await?;
    Ok(found.into_inner())
}

async fn plan(common: &Common, session: &Session, files: &Files) -> Result<(), Failure> {
    let request = PlanChangeRequest {
        items: documents::read(&files.paths)?,
        complete: files.complete,
    };
    let plan = session.changes().plan_change(request).await?.into_inner();
    show::plan(common, &plan)?;
    let sound = plan.review.is_none_or(|review| review.problems.is_empty());
    if sound {
        Ok(())
    } else {
        Err(Failure::said(Exit::Unsound))
    }
}

async fn propose(common: &Common, session: &Session, args: Propose) -> Result<(), Failure> {
    let items = documents::read(&args.files.paths)?;
    let request = ProposeChangeRequest {
        request_id: request_id(&args, &items),
        title: args.title,
        reason: args.reason,
        items,
        activate_time: args.activate_at,
        complete: args.files.complete,
    };
    match session.changes().propose_change(request).await {
        Ok(change) => review(common, session, change.into_inner(), args.backtest).await,
        Err(status) if is_unchanged(&status) => {
            output::line("nothing would change: the files are in force as they are")
        }
        Err(status) => Err(status.into()),
    }
}

fn is_unchanged(status: &tonic::Status) -> bool {
    use tonic_types::StatusExt as _;
    let info = status.get_details_error_info();
    info.is_some_and(|info| info.metadata.contains_key("unchanged"))
}

/// The same for the same files under the same title, so that a build that runs twice makes
/// one change.
fn request_id(args: &Propose, items: &[ChangeItem]) -> String {
    let documents: Vec<_> = items
        .iter()
        .map(|item| serde_json::json!([item.source, sorted(&item.attachments)]))
        .collect();
    let time = args.activate_at.map(|time| time.seconds);
    let content = serde_json::json!([
        args.title,
        args.reason,
        args.files.complete,
        time,
        documents
    ]);
    let digest = governance::canonical::sha256(content.to_string().as_bytes());
    let hex = digest.trim_start_matches("sha256:");
    let mut bytes = [0; 16];
    for (index, byte) in bytes.iter_mut().enumerate() {
        let pair = hex.get(index * 2..index * 2 + 2).unwrap_or("00");
        *byte = u8::from_str_radix(pair, 16).unwrap_or(0);
    }
    uuid::Builder::from_custom_bytes(bytes)
        .into_uuid()
        .to_string()
}

fn sorted(
    attachments: &std::collections::HashMap<String, String>,
) -> std::collections::BTreeMap<&String, &String> {
    attachments.iter().collect()
}

async fn edit(common: &Common, session: &Session, args: Edit) -> Result<(), Failure> {
    let change = get(session, input::name(COLLECTION, &args.name)).await?;
    let items = match args.paths.is_empty() {
        true => Vec::new(),
        false => documents::read(&args.paths)?,
    };
    let request = UpdateChangeRequest {
        name: change.name,
        etag: change.etag,
        title: args.title,
        reason: args.reason,
        items,
        activate_time: args.activate_at.or(change.activate_time),
    };
    let change = session.changes().update_change(request).await?.into_inner();
    review(common, session, change, args.backtest).await
}

/// Takes a change as far as it goes without anybody's approval.
async fn review(
    common: &Common,
    session: &Session,
    mut change: Change,
    backtest: Backtest,
) -> Result<(), Failure> {
    let mut client = session.changes();
    let is_over = |change: &Change| change.state() > ChangeState::Backtested;
    if is_over(&change) {
        show::change(common, &change, true)?;
        let ended = [
            ChangeState::Rejected,
            ChangeState::Withdrawn,
            ChangeState::RolledBack,
        ];
        if ended.contains(&change.state()) {
            return Err(Failure::failed(
                "this change has ended: under another title or reason the files are another change",
            ));
        }
        return Ok(());
    }
    let name = change.name.clone();
    let request = CheckChangeRequest {
        name,
        etag: String::new(),
    };
    change = client.check_change(request).await?.into_inner();
    if change.state() == ChangeState::Draft {
        show::change(common, &change, true)?;
        return Err(Failure::said(Exit::Unsound));
    }
    if change.state() == ChangeState::Checked {
        let name = change.name.clone();
        let request = TestChangeRequest {
            name,
            etag: String::new(),
        };
        change = client.test_change(request).await?.into_inner();
        if change.state() == ChangeState::Checked {
            show::change(common, &change, true)?;
            return Err(Failure::said(Exit::Untested));
        }
    }
    let request = BacktestChangeRequest {
        name: change.name.clone(),
        etag: String::new(),
        from_time: backtest.backtest_from,
        max_decisions: backtest.backtest_limit,
    };
    let mut stream = client.backtest_change(request).await?.into_inner();
    while let Some(message) = stream.message().await? {
        progress(message.decisions, message.total);
        if let Some(last) = message.change {
            change = last;
        }
    }
    clear();
    show::change(common, &change, true)
}

/// Says on a terminal how far the backtest is.
fn progress(decisions: i64, total: i64) {
    if io::stderr().is_terminal() && total > 0 {
        eprint!("\rdecided again: {decisions} of {total}");
        let _ = io::stderr().flush();
    }
}

fn clear() {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}

async fn waivers(common: &Common, session: &Session) -> Result<(), Failure> {
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListWaiversRequest {
            page_size: 1_000,
            page_token,
        };
        let page = session.waivers().list_waivers(request).await?.into_inner();
        found.extend(page.waivers);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    show::waivers(common, &found)
}

async fn list(
    common: &Common,
    session: &Session,
    states: &[ChangeState],
    limit: usize,
) -> Result<(), Failure> {
    let mut found: Vec<Change> = Vec::new();
    let mut page_token = String::new();
    while found.len() < limit {
        let request = ListChangesRequest {
            page_size: i32::try_from((limit - found.len()).min(1_000)).unwrap_or(1_000),
            page_token,
            states: states.iter().map(|state| (*state).into()).collect(),
        };
        let page = session.changes().list_changes(request).await?.into_inner();
        found.extend(page.changes);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    if common.output == Output::Json {
        return show::list_json(&found);
    }
    show::list(&found)
}
