//! Maximum-weight bipartite matching.
//!
//! Source: the Hungarian method with potentials, O(n²m) (Kuhn 1955; Jonker and Volgenant 1987).

use std::collections::BTreeMap;

/// Largest total weight of a one-to-one pairing of rows and columns.
pub(crate) fn maximum_weight(cells: &BTreeMap<(usize, usize), usize>) -> usize {
    let rows = cells.keys().map(|&(row, _)| row + 1).max().unwrap_or(0);
    let columns = cells.keys().map(|&(_, column)| column + 1).max().unwrap_or(0);
    let transposed = rows > columns;
    let (height, width) = if transposed { (columns, rows) } else { (rows, columns) };
    let mut cost = vec![vec![0_i64; width]; height];
    for (&(row, column), &weight) in cells {
        let (row, column) = if transposed { (column, row) } else { (row, column) };
        cost[row][column] = -(weight as i64);
    }
    let total: i64 = assign(&cost).into_iter().enumerate().map(|(row, column)| cost[row][column]).sum();
    -total as usize
}

/// Column of each row at least cost; needs at least as many columns as rows. Index 0 of the work arrays is a
/// sentinel.
fn assign(cost: &[Vec<i64>]) -> Vec<usize> {
    let (height, width) = (cost.len(), cost.first().map_or(0, Vec::len));
    let mut row_potential = vec![0; height + 1];
    let mut column_potential = vec![0; width + 1];
    let mut row_of = vec![0; width + 1];
    for row in 1..=height {
        row_of[0] = row;
        let (mut column, mut way) = (0, vec![0; width + 1]);
        let (mut slack, mut used) = (vec![i64::MAX; width + 1], vec![false; width + 1]);
        while row_of[column] != 0 {
            used[column] = true;
            let current = row_of[column];
            let (mut delta, mut next) = (i64::MAX, 0);
            for candidate in (1..=width).filter(|&candidate| !used[candidate]) {
                let reduced =
                    cost[current - 1][candidate - 1] - row_potential[current] - column_potential[candidate];
                if reduced < slack[candidate] {
                    (slack[candidate], way[candidate]) = (reduced, column);
                }
                if slack[candidate] < delta {
                    (delta, next) = (slack[candidate], candidate);
                }
            }
            for other in 0..=width {
                if used[other] {
                    row_potential[row_of[other]] += delta;
                    column_potential[other] -= delta;
                } else {
                    slack[other] = slack[other].saturating_sub(delta);
                }
            }
            column = next;
        }
        while column != 0 {
            row_of[column] = row_of[way[column]];
            column = way[column];
        }
    }
    let mut assigned = vec![0; height];
    for (column, &row) in row_of.iter().enumerate().skip(1).filter(|&(_, &row)| row > 0) {
        assigned[row - 1] = column - 1;
    }
    assigned
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn greedy_is_not_enough() {
        // The greedy choice 5 + 0 loses against 4 + 4.
        assert_eq!(maximum_weight(&BTreeMap::from([((0, 0), 5), ((0, 1), 4), ((1, 0), 4)])), 8);
    }

    #[test]
    fn more_rows_than_columns() {
        assert_eq!(maximum_weight(&BTreeMap::from([((0, 0), 1), ((1, 0), 3), ((2, 0), 2)])), 3);
        assert_eq!(maximum_weight(&BTreeMap::new()), 0);
    }

    fn brute_force(cost: &[Vec<usize>], row: usize, taken: &mut Vec<usize>) -> usize {
        if row == cost.len() {
            return 0;
        }
        let mut best = brute_force(cost, row + 1, taken);
        for column in 0..cost[row].len() {
            if !taken.contains(&column) {
                taken.push(column);
                best = best.max(cost[row][column] + brute_force(cost, row + 1, taken));
                taken.pop();
            }
        }
        best
    }

    proptest! {
        #[test]
        fn equals_brute_force(cost in proptest::collection::vec(proptest::collection::vec(0_usize..9, 4), 1..5)) {
            let cells = cost.iter().enumerate().flat_map(|(row, line)| {
                line.iter().enumerate().map(move |(column, &weight)| ((row, column), weight))
            });
            prop_assert_eq!(maximum_weight(&cells.collect()), brute_force(&cost, 0, &mut Vec::new()));
        }
    }
}
