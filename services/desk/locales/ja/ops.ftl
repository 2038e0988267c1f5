# リージョンの運用コンソール。
ops-title = リージョン { $region } の運用
ops-promise = チケットの内容や投稿者は、ここには表示されません。
ops-signin-lead = このリージョンの運用担当者専用です。
ops-signin-key = サインインキー
ops-signin-hint = リージョンのマシンにアクセスできる担当者が domicile operator add で発行します。
ops-signin-wrong = このキーを持つ運用担当者はいません。
ops-overview = 概要
ops-tenants = テナント
ops-backups = バックアップ
ops-health = 稼働状態
ops-well = 正常
ops-unwell = 要確認
ops-not-known = 現在は確認できません。
ops-ready = リクエストを受け付けています。
ops-health-desk = デスク
ops-health-tenants = テナントのログ
ops-health-projections = 読み取りモデル
ops-health-backup = 最新のバックアップ
ops-health-drill = 最新の復元訓練
ops-held = { $n ->
    [0] すべて開いています。
   *[other] { $n } 件が、ログが復旧するまで閉じられています。
}
ops-halted = { $n ->
    [0] すべて進行中です。
   *[other] { $n } 件が停止しています。
}
ops-backup-none = まだありません。
ops-backup-newest = { $moment } 作成、完全です。
ops-backup-newest-incomplete = { $moment } 作成、不完全です。
ops-drill-none = まだ行われていません。
ops-drill-newest = { $wrong ->
    [0] { $moment }：すべて現行どおりに復元されました。
   *[other] { $moment }：{ $wrong } 件のテナントが現行どおりに復元されませんでした。
}
ops-tenants-count = テナント数：{ $n }
ops-chart-marks = 各印までのイベント数
ops-chart-lag = 最も古いイベントの待ち時間（秒）
ops-chart-table = 表で見る
ops-chart-none = まだ測定値がありません。10 秒以内に最初の値が表示されます。
ops-moment = 時刻
ops-tenants-lead = このリージョンに属するテナントと、それぞれのログの保全状況です。
ops-tenants-none = まだテナントはありません。
ops-tenant = テナント
ops-plan = プラン
ops-state = ログ
ops-since = 登録日時
ops-state-active = オープン
ops-state-moving = 移動中
ops-state-closed = クローズ
ops-state-behind = 閉鎖：アーカイブより遅れています
ops-state-restoring = 閉鎖：復元中
ops-next = 次のページ
ops-backups-lead = バックアップは、全テナントのアーカイブを同じ時点までそろえ、その位置に署名します。
ops-backup = バックアップ
ops-backup-create = 今すぐバックアップを作成
ops-backup-making = バックアップを作成しています。
ops-backup-verifying = バックアップを検証しています。
ops-progress = テナント：{ $total } 件中 { $done } 件
ops-refresh = 進み具合を確認
ops-failed = 実行できませんでした。
ops-backup-cut = 時点
ops-backup-completed = 完了
ops-backup-keeping = 保存期間
ops-backup-kept = { $moment } まで
ops-backup-stays = 最新の完全なものとして保存
ops-backup-over = 期限切れ
ops-backup-unreadable = このリージョンのバックアップではありません
ops-backup-result = { $incomplete ->
    [0] 完全
   *[other] { $incomplete } 件のテナントが不完全
}
ops-backup-verify = このバックアップを検証
ops-events = イベント数
ops-result = 結果
ops-root = ルート
ops-verified = 検証済み：このバックアップが示すものはすべて存在し、開くことができます。
ops-verified-incomplete = 内容は検証に合格しましたが、バックアップは不完全です。
ops-verified-wrong = 検証に失敗しました。下の表をご確認ください。
ops-not-checked = 検証していない項目：
ops-tenant-whole = 完全
ops-tenant-verified = 検証済み
ops-tenant-incomplete = 不完全
ops-tenant-wrong = 異常あり
