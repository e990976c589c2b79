//! What people share to be read is listed; what stands in code and logs is not.

use schemas::ContextMessage;
use synthesis::Synthesis;

fn shared(id: i64, text: &str, links: &[&str]) -> ContextMessage {
    let links = links.iter().map(|link| (*link).to_owned()).collect();
    ContextMessage { links, ..fixtures::message(id, id * 60_000, "Ann", text) }
}

#[test]
fn addresses_in_code_are_no_links() {
    let envelope = "<soap:Envelope xmlns:soap=\"http://schemas.example/soap/envelope/\">\n  <soap:Header/>\n</soap:Envelope>";
    let messages = vec![
        shared(1, "The notes of the meetup: https://a.example/notes", &["https://a.example/notes"]),
        shared(2, envelope, &["http://schemas.example/soap/envelope/"]),
        shared(3, "curl -s https://b.example/token | jq '.access' > out.json;", &["https://b.example/token"]),
    ];
    let digest = Synthesis::default().digest(&fixtures::state(messages)).0;
    let links: Vec<(&str, &[i64])> =
        digest.links.iter().map(|link| (link.url.as_str(), link.message_ids.as_slice())).collect();
    assert_eq!(links, [("https://a.example/notes", &[1_i64][..])]);
}
