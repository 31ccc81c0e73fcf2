use merkle::{
    Checkpoint, Hash,
    checkpoint::Error,
    note::{self, Note, Signer, Verifier},
};
use proptest::prelude::*;

/// The example of Go's `golang.org/x/mod/sumdb/note`.
const GO_VERIFIER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_SIGNER: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                       then you don't know what your problem is.\n";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
                       then you don't know what your problem is.\n\n\
                       — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn notes_of_the_reference_implementation_verify_and_come_out_the_same() {
    let verifier = Verifier::parse(GO_VERIFIER).unwrap();
    let signer = Signer::parse(GO_SIGNER).unwrap();
    assert_eq!(verifier.to_string(), GO_VERIFIER);
    assert_eq!(signer.verifier(), verifier);
    assert_eq!(signer.to_secret_text(), GO_SIGNER);
    assert_eq!(signer.sign(GO_TEXT).unwrap(), GO_NOTE);
    let note = Note::parse(GO_NOTE).unwrap();
    assert_eq!(note.verify(&verifier).unwrap(), GO_TEXT);
    assert!(!format!("{signer:?}").contains("AYEK"));
}

#[test]
fn keys_are_read_strictly() {
    for bad in [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n\n",
    ] {
        assert!(Verifier::parse(bad).is_err(), "{bad:?}");
        assert!(Signer::parse(bad).is_err(), "{bad:?}");
    }
    assert!(Signer::parse(GO_VERIFIER).is_err());
    assert!(Signer::from_seed("with space", &[1; 32]).is_err());
    assert!(Signer::from_seed("plus+plus", &[1; 32]).is_err());
}

fn signer() -> Signer {
    Signer::from_seed("example.com/audit", &[7; 32]).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint::new("example.com/audit", 4_711, Hash::leaf(b"root"))
}

#[test]
fn a_checkpoint_reads_back() {
    let note = checkpoint().sign(&signer()).unwrap();
    let read = Checkpoint::open(&note, &signer().verifier()).unwrap();
    assert_eq!(read, checkpoint());
    let mut extended = checkpoint();
    extended.extensions.push("timestamp 1".into());
    let note = extended.sign(&signer()).unwrap();
    assert_eq!(Checkpoint::open(&note, &signer().verifier()), Ok(extended));
}

#[test]
fn a_checkpoint_of_another_key_or_log_is_refused() {
    let note = checkpoint().sign(&signer()).unwrap();
    let other = Signer::from_seed("example.com/audit", &[8; 32]).unwrap();
    assert_eq!(
        Checkpoint::open(&note, &other.verifier()),
        Err(Error::Note(note::Error::Unsigned(
            "example.com/audit".into()
        )))
    );
    let elsewhere = Checkpoint::new("example.com/other", 1, Hash::empty());
    let note = elsewhere.sign(&signer()).unwrap();
    assert!(matches!(
        Checkpoint::open(&note, &signer().verifier()),
        Err(Error::Origin { .. })
    ));
}

#[test]
fn every_changed_bit_of_a_checkpoint_is_refused() {
    let note = checkpoint().sign(&signer()).unwrap();
    let key = signer().verifier();
    for bit in 0..note.len() * 8 {
        let mut bytes = note.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(text) = String::from_utf8(bytes) {
            assert!(Checkpoint::open(&text, &key).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn checkpoints_are_read_strictly() {
    let root = Hash::empty().to_string();
    for bad in [
        String::new(),
        "log\n".into(),
        "log\n1\n".into(),
        format!("log\n1\n{root}"),
        format!("\n1\n{root}\n"),
        format!("log\n01\n{root}\n"),
        format!("log\n+1\n{root}\n"),
        format!("log\n-1\n{root}\n"),
        format!("log\n18446744073709551616\n{root}\n"),
        format!("log\n1 \n{root}\n"),
        format!("log\n1\n{root} \n"),
        format!("log\n1\n{root}\n\n"),
        format!("log\n1\n{}\n", &root[1..]),
    ] {
        assert!(Checkpoint::parse(&bad).is_err(), "{bad:?}");
    }
    assert!(Checkpoint::parse(&format!("log\n0\n{root}\n")).is_ok());
}

#[test]
fn notes_are_read_strictly() {
    for bad in [
        "",
        "\n\n",
        "text\n",
        "text\n\n",
        "text\n\n— name\n",
        "text\n\n— name AAAA",
        "text\n\n— name AAAAAAA=\n\n",
        "text\n\n- name AAAAAAA=\n",
        "text\n\n— na+me AAAAAAA=\n",
        "te\u{1}xt\n\n— name AAAAAAA=\n",
        "te\rxt\n\n— name AAAAAAA=\n",
        "text\n\n— name AAAAAA==\n",
        "text\n\n— name AAAAAAB=\n",
    ] {
        assert!(Note::parse(bad).is_err(), "{bad:?}");
    }
    assert!(Note::parse("text\n\n— name AAAAAAA=\n").is_ok());
    let many = format!("text\n\n{}", "— name AAAAAAA=\n".repeat(65));
    assert!(Note::parse(&many).is_err());
    assert!(signer().sign("no line feed").is_err());
    assert!(signer().sign("tab\t\n").is_err());
}

proptest! {
    #[test]
    fn no_text_breaks_the_parsers(text in "(\\PC|\n|— ){0,200}") {
        let _ = Note::parse(&text);
        let _ = Checkpoint::parse(&text);
        let _ = Verifier::parse(&text);
        let _ = Signer::parse(&text);
    }
}
