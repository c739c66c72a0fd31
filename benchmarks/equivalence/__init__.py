"""One and the same layer in several libraries: what each makes of it, as numbers, and the page that shows them.

`subject` holds the layer and its samples as explicit numbers, `library` what a library can be asked, `measures` asks; there is a module for
each library, which imports it when it is used; `page` writes the tables of docs/equivalence.md from the record alone.
"""
