#[derive(Debug, Clone, PartialEq)]
pub enum Triage { Red, Orange, Yellow, Green }
pub struct Patient { pub age: u8, pub chest_pain: bool, pub gcs: u8, pub sats: u8 }
pub fn triage(p: &Patient) -> Triage {
    match (p.gcs, p.sats, p.chest_pain) {
        (g, _, _) if g < 9 => Triage::Red,
        (_, s, _) if s < 90 => Triage::Orange,
        (_, _, true) => Triage::Orange,
        _ if p.age > 80 => Triage::Yellow,
        _ => Triage::Green,
    }
}
