//! Test reports as CI systems read them: JUnit XML.

use governance::suite::CaseResult;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::failure::Failure;

/// One suite a file; each failure with its line and what was found and expected.
pub fn report(results: &[CaseResult]) -> Result<String, Failure> {
    let mut report = Report::new("bylaw policy test");
    let mut suites: Vec<TestSuite> = Vec::new();
    for result in results {
        let status = if result.failures.is_empty() {
            TestCaseStatus::success()
        } else {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(result.failures.join("; "));
            status.set_description(format!(
                "{}:{}\n{}",
                result.path,
                result.line,
                result.failures.join("\n")
            ));
            status
        };
        let mut case = TestCase::new(result.name.as_str(), status);
        case.set_classname(result.path.as_str());
        match suites
            .iter_mut()
            .find(|suite| suite.name.as_str() == result.path)
        {
            Some(suite) => _ = suite.add_test_case(case),
            None => {
                let mut suite = TestSuite::new(result.path.as_str());
                suite.add_test_case(case);
                suites.push(suite);
            }
        }
    }
    report.add_test_suites(suites);
    report
        .to_string()
        .map_err(|error| Failure::failed(format!("the report can't be written: {error}")))
}
