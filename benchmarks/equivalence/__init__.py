"""The same layer in several libraries: results as numbers, and the page that shows them.

`subject` has the layer and its samples as explicit numbers, `library` the interface to a library, `measures` the measurements. `array_columns`
and `torch_columns` have a class for each library, which imports it when it is used. `page` writes the tables of docs/equivalence.md from the record alone.
"""
