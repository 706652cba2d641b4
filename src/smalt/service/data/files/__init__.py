"""Operations on files that the rest of `data` is made of: copies, durable writes, contained paths, write protection.

Nothing here knows of datastores, assets or jobs.
"""
