"""The manifests of deploy/kubernetes: rendered, checked, and given to a release.

kubectl's own kustomize renders them, as the cluster's tools do. Helm was weighed: its templates are
text, so that no schema can be asked before the values are known.
"""
