"""Lists of the API by allow-list: filters, orderings, expanded relations, pages by keyset.

To lift it out: copy this folder and `core/problems/`, and name the pagination class, the filter
backend and the schema class in REST_FRAMEWORK.
"""
