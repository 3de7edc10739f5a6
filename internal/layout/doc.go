// Package layout holds no code: its test keeps the walls between the rooms of this repository.
// What may not live here: anything but that test.
package layout
