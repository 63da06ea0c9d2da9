//! An ordered map whose copies share what they have in common: each step of an analysis keeps its own schema.
//!
//! A treap: a search tree by key that is a heap by a hash of the key, so that it is balanced without rotations, and
//! the same entries give the same tree. A copy costs one pointer, a change of a copy about log n nodes.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// An ordered map with cheap copies.
pub struct Map<K, V> {
    root: Link<K, V>,
    len: usize,
}

type Link<K, V> = Option<Arc<Node<K, V>>>;

#[derive(Clone)]
struct Node<K, V> {
    key: K,
    value: V,
    priority: u64,
    left: Link<K, V>,
    right: Link<K, V>,
}

impl<K, V> Clone for Map<K, V> {
    fn clone(&self) -> Self {
        Self { root: self.root.clone(), len: self.len }
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self { root: None, len: 0 }
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Map<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for Map<K, V> {}

impl<K, V> Map<K, V> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All entries in the order of their keys.
    pub fn iter(&self) -> Iter<'_, K, V> {
        let mut iter = Iter { stack: Vec::new() };
        iter.descend(&self.root);
        iter
    }

    /// All keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// All values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

impl<K: Ord, V> Map<K, V> {
    /// The value of `key`.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let mut link = &self.root;
        while let Some(node) = link {
            match key.cmp(node.key.borrow()) {
                Ordering::Less => link = &node.left,
                Ordering::Greater => link = &node.right,
                Ordering::Equal => return Some(&node.value),
            }
        }
        None
    }

    /// Whether `key` has a value.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }
}

impl<K: Ord, V: PartialEq> Map<K, V> {
    /// The keys whose values differ between this map and `other`, with both values, in order. What copies of one map
    /// still share is not looked at.
    pub fn differences<'a>(&'a self, other: &'a Self) -> Vec<(&'a K, Option<&'a V>, Option<&'a V>)> {
        let mut found = Vec::new();
        differences(&self.root, &other.root, &mut found);
        found
    }
}

/// Adds what differs between two trees.
fn differences<'a, K: Ord, V: PartialEq>(
    one: &'a Link<K, V>,
    other: &'a Link<K, V>,
    found: &mut Vec<(&'a K, Option<&'a V>, Option<&'a V>)>,
) {
    match (one, other) {
        (None, None) => {}
        (Some(left), Some(right)) if Arc::ptr_eq(left, right) => {}
        (Some(left), Some(right)) if left.key == right.key => {
            differences(&left.left, &right.left, found);
            if left.value != right.value {
                found.push((&left.key, Some(&left.value), Some(&right.value)));
            }
            differences(&left.right, &right.right, found);
        }
        // The same entries give the same tree, so below here some were put in or taken out.
        (_, _) => merged(one, other, found),
    }
}

/// Adds what differs between two trees of another shape.
fn merged<'a, K: Ord, V: PartialEq>(
    one: &'a Link<K, V>,
    other: &'a Link<K, V>,
    found: &mut Vec<(&'a K, Option<&'a V>, Option<&'a V>)>,
) {
    let mut left = Iter { stack: Vec::new() };
    left.descend(one);
    let mut right = Iter { stack: Vec::new() };
    right.descend(other);
    let (mut left, mut right) = (left.peekable(), right.peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (Some((one, _)), Some((other, _))) => one.cmp(other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return,
        };
        let one = if order.is_le() { left.next() } else { None };
        let other = if order.is_ge() { right.next() } else { None };
        let key = one.or(other).map(|(key, _)| key);
        let (one, other) = (one.map(|(_, value)| value), other.map(|(_, value)| value));
        if let Some(key) = key.filter(|_| one != other) {
            found.push((key, one, other));
        }
    }
}

impl<K: Ord + Hash + Clone, V: Clone> Map<K, V> {
    /// The value of `key`, to be changed; other copies of the map keep the old one.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        // Looked up first, so that a miss copies nothing.
        self.get(key)?;
        let mut link = &mut self.root;
        loop {
            let node = Arc::make_mut(link.as_mut()?);
            match key.cmp(node.key.borrow()) {
                Ordering::Less => link = &mut node.left,
                Ordering::Greater => link = &mut node.right,
                Ordering::Equal => return Some(&mut node.value),
            }
        }
    }

    /// Sets the value of `key`.
    pub fn insert(&mut self, key: K, value: V) {
        if let Some(old) = self.get_mut(&key) {
            *old = value;
            return;
        }
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        insert(&mut self.root, Node { priority: hasher.finish(), key, value, left: None, right: None });
        self.len += 1;
    }

    /// Takes `key` out; gives its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let value = self.get(key)?.clone();
        remove(&mut self.root, key);
        self.len -= 1;
        Some(value)
    }
}

/// Puts `new` in; its key is not in the tree.
fn insert<K: Ord + Clone, V: Clone>(link: &mut Link<K, V>, mut new: Node<K, V>) {
    match link {
        Some(node) if node.priority >= new.priority => {
            let node = Arc::make_mut(node);
            insert(if new.key < node.key { &mut node.left } else { &mut node.right }, new);
        }
        _ => {
            (new.left, new.right) = split(link.take(), &new.key);
            *link = Some(Arc::new(new));
        }
    }
}

/// The entries before and behind `key`.
fn split<K: Ord + Clone, V: Clone>(link: Link<K, V>, key: &K) -> (Link<K, V>, Link<K, V>) {
    let Some(mut root) = link else { return (None, None) };
    let node = Arc::make_mut(&mut root);
    if node.key < *key {
        let (left, right) = split(node.right.take(), key);
        node.right = left;
        (Some(root), right)
    } else {
        let (left, right) = split(node.left.take(), key);
        node.left = right;
        (left, Some(root))
    }
}

fn remove<K: Ord + Clone + Borrow<Q>, V: Clone, Q: Ord + ?Sized>(link: &mut Link<K, V>, key: &Q) {
    let Some(node) = link else { return };
    let node = Arc::make_mut(node);
    match key.cmp(node.key.borrow()) {
        Ordering::Less => remove(&mut node.left, key),
        Ordering::Greater => remove(&mut node.right, key),
        Ordering::Equal => {
            let (left, right) = (node.left.take(), node.right.take());
            *link = merge(left, right);
        }
    }
}

/// One tree of two, where all of `left` stands before all of `right`.
fn merge<K: Clone, V: Clone>(left: Link<K, V>, right: Link<K, V>) -> Link<K, V> {
    match (left, right) {
        (None, other) | (other, None) => other,
        (Some(mut left), Some(mut right)) => {
            if left.priority >= right.priority {
                let node = Arc::make_mut(&mut left);
                node.right = merge(node.right.take(), Some(right));
                Some(left)
            } else {
                let node = Arc::make_mut(&mut right);
                node.left = merge(Some(left), node.left.take());
                Some(right)
            }
        }
    }
}

/// Entries in the order of their keys.
pub struct Iter<'a, K, V> {
    stack: Vec<&'a Node<K, V>>,
}

impl<'a, K, V> Iter<'a, K, V> {
    fn descend(&mut self, mut link: &'a Link<K, V>) {
        while let Some(node) = link {
            self.stack.push(node);
            link = &node.left;
        }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let node = self.stack.pop()?;
        self.descend(&node.right);
        Some((&node.key, &node.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn behaves_like_an_ordered_map(steps in prop::collection::vec((any::<bool>(), 0u8..40, any::<u16>()), 0..200)) {
            let mut ours = Map::default();
            let mut theirs = BTreeMap::new();
            let mut copies = Vec::new();
            for (put, key, value) in steps {
                copies.push((ours.clone(), theirs.clone()));
                if put {
                    ours.insert(key, value);
                    theirs.insert(key, value);
                } else {
                    prop_assert_eq!(ours.remove(&key), theirs.remove(&key));
                }
                prop_assert_eq!(ours.len(), theirs.len());
            }
            copies.push((ours, theirs));
            for (ours, theirs) in copies {
                prop_assert!(ours.iter().eq(theirs.iter()));
                prop_assert!((0..40).all(|key| ours.get(&key) == theirs.get(&key)));
            }
        }
    }

    proptest! {
        #[test]
        fn differences_are_those_of_ordered_maps(
            one in prop::collection::btree_map(0u8..60, 0u8..3, 0..40),
            steps in prop::collection::vec((any::<bool>(), 0u8..60, 0u8..3), 0..20),
        ) {
            let mut ours = Map::default();
            one.iter().for_each(|(key, value)| ours.insert(*key, *value));
            let (mut later, mut theirs) = (ours.clone(), one.clone());
            for (put, key, value) in steps {
                if put {
                    later.insert(key, value);
                    theirs.insert(key, value);
                } else {
                    later.remove(&key);
                    theirs.remove(&key);
                }
            }
            let expected: Vec<_> = (0..60)
                .filter(|key| one.get(key) != theirs.get(key))
                .map(|key| (key, one.get(&key).copied(), theirs.get(&key).copied()))
                .collect();
            let found: Vec<_> = ours
                .differences(&later)
                .into_iter()
                .map(|(key, one, other)| (*key, one.copied(), other.copied()))
                .collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_copy_keeps_its_values() {
        let mut first = Map::default();
        first.insert("a", 1);
        let second = first.clone();
        *first.get_mut("a").unwrap() = 2;
        assert_eq!((first.get("a"), second.get("a")), (Some(&2), Some(&1)));
        assert!(first.get_mut("b").is_none());
    }
}
