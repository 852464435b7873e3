//! Wholes and their parts (R17): credit on one excludes credit on the others, however far apart.

use super::compile::Table;
use super::set::Whole;

/// An achievement that is a whole or a part, by number.
pub(super) type Node = u32;

/// Which achievements contain each other.
#[derive(Debug, Default)]
pub(super) struct Wholes {
    nodes: Table<String, Node>,
    /// By node: every node below it, ascending.
    below: Vec<Vec<Node>>,
}

impl Wholes {
    pub(super) fn new(wholes: &[Whole]) -> Self {
        let mut nodes: Table<String, Node> = Table::default();
        let mut parts: Vec<Vec<Node>> = Vec::new();
        for whole in wholes {
            let mut node = |key: &String, parts: &mut Vec<Vec<Node>>| {
                let next = nodes.len() as Node;
                let node = *nodes.entry(key.clone()).or_insert(next);
                parts.resize_with(nodes.len(), Vec::new);
                node
            };
            let above = node(&whole.whole, &mut parts);
            for part in &whole.parts {
                let part = node(part, &mut parts);
                parts[above as usize].push(part);
            }
        }
        let below = (0..parts.len()).map(|node| reach(&parts, node)).collect();
        Self { nodes, below }
    }

    /// The number of an achievement, if it is a whole or a part.
    pub(super) fn node(&self, key: &str) -> Option<Node> {
        if self.nodes.is_empty() {
            None
        } else {
            self.nodes.get(key).copied()
        }
    }

    /// Whether one contains the other. Nothing contains itself.
    pub(super) fn is_related(&self, one: Node, other: Node) -> bool {
        let contains = |whole: Node, part| self.below[whole as usize].binary_search(&part).is_ok();
        one != other && (contains(one, other) || contains(other, one))
    }
}

fn reach(parts: &[Vec<Node>], from: usize) -> Vec<Node> {
    let mut seen = vec![false; parts.len()];
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        for part in &parts[node] {
            if !std::mem::replace(&mut seen[*part as usize], true) {
                open.push(*part as usize);
            }
        }
    }
    (0..)
        .zip(seen)
        .filter_map(|(node, seen)| seen.then_some(node))
        .collect()
}
