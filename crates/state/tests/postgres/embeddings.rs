//! Vectors that an endpoint gave are read back bit by bit, by their tenant and model alone.

use crate::database::Database;
use state::TextHash;

#[tokio::test]
async fn vectors_are_kept_by_tenant_model_and_text_and_never_change() {
    let Some(database) = Database::new("embeddings").await else { return };
    let store = &database.store;
    let (one, two): (TextHash, TextHash) = ([1; 32], [2; 32]);
    let vector = vec![0.25, -1.5e-7, f32::MIN_POSITIVE];
    store.keep_vectors(("t", "m"), &[(one, vector.clone())]).await.unwrap();
    store.keep_vectors(("t", "m"), &[(one, vec![9.0; 3]), (two, vec![2.0; 3])]).await.unwrap();
    let known = store.known_vectors(("t", "m"), &[one, two, [3; 32]], 3).await.unwrap();
    assert_eq!((known.len(), &known[&one], &known[&two]), (2, &vector, &vec![2.0; 3]));
    for (owner, dimension) in [(("u", "m"), 3), (("t", "other"), 3), (("t", "m"), 4)] {
        assert!(store.known_vectors(owner, &[one, two], dimension).await.unwrap().is_empty(), "{owner:?}");
    }
    database.drop().await;
}
