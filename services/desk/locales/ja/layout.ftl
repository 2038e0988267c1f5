# すべてのページを囲むもの。
layout-skip = 本文へ移動
layout-promise = デスクのチケット、人、添付ファイル、バックアップ、監査ログは、ホームリージョンにのみ保存されます。
layout-language = 言語
